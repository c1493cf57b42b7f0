"""The picture of a computed heart in docs/operations.md, whose electrode comes off for a while.

python -m tests.quality_picture        # writes docs/images/quality.svg anew
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.adapters.encoders import load_encoders
from app.domain.captures import EcgStrip
from app.pictures.picture import draw
from app.services.quality import QualityService
from ml.synthetic.ecg import SyntheticPerson

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "quality.svg"
FS_HZ = 250.0


def loose_strip() -> EcgStrip:
    """Twenty seconds of a computed person, four of them without contact."""
    ecg_mv = SyntheticPerson.draw(17).record(20.0, FS_HZ, seed=2).astype(np.float32)
    ecg_mv[round(10.6 * FS_HZ) : round(14.4 * FS_HZ)] = 0.0
    return EcgStrip(ecg_mv, FS_HZ, lead="I", unit="mV")


def quality_picture() -> str:
    """As `POST /quality` draws it, with the bundles in `models/`."""
    recordings = (loose_strip(),)
    service = QualityService(load_encoders(ROOT / "models", {}))
    return draw(recordings, service.assess(recordings, look_at_rejected=True)) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(quality_picture())
