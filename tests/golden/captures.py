"""Computed captures that every shipped bundle is held to, and what it made of them.

    python -m tests.golden.captures        # writes tests/golden/vectors.json anew

Vectors of enrolled people are stored and their recordings are not. So a bundle must go on making the same
vectors, whatever is moved or rewritten around it. They decide whether a change of the signal chain needs a
new preparation version (`ml.runtime.preparation`). Write the file anew only with a new bundle.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.activity.bundle import load_recognizer
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.synthetic.ecg import Noise, SyntheticPerson

MODELS = Path(__file__).parents[2] / "models"
VECTORS = Path(__file__).parent / "vectors.json"


@dataclass(frozen=True)
class Capture:
    """One computed strip; equal arguments give equal samples."""

    person: int
    seconds: float
    fs_hz: float
    inverted: bool = False
    noise: float = 1.0
    session: int = 0

    @property
    def name(self) -> str:
        way = ", inverted" if self.inverted else ""
        return f"person {self.person}, {self.seconds:g} s at {self.fs_hz:g} Hz{way}, noise × {self.noise:g}"

    def signal(self) -> NDArray[np.float32]:
        """Millivolts, float32, shape (n_samples,)."""
        calm = Noise()
        noise = replace(
            calm,
            wander_mv=self.noise * calm.wander_mv,
            mains_mv=self.noise * calm.mains_mv,
            muscle_snr_db=calm.muscle_snr_db - 20.0 * math.log10(self.noise),
        )
        made = SyntheticPerson.draw(self.person).record(
            self.seconds, self.fs_hz, session=self.session, noise=noise
        )
        return -made if self.inverted else made


CAPTURES = (
    Capture(1, 20.0, 250.0),
    Capture(2, 10.0, 500.0),
    Capture(3, 5.0, 1000.0, inverted=True),
    Capture(4, 3.0, 100.0),
    Capture(5, 12.0, 360.0, noise=3.0),
    Capture(6, 60.0, 128.0, session=2),
)


def encoders() -> Iterator[BundledEncoder]:
    """Every shipped bundle that makes vectors."""
    for folder in sorted(MODELS.glob("ecg*@*")):
        yield load_bundle(folder)


def encoded(encoder: BundledEncoder, capture: Capture) -> dict[str, Any]:
    """What a bundle makes of a capture, rounded as it is kept."""
    found = encoder.encode(RawEcg(capture.signal(), capture.fs_hz))
    return {
        "capture": capture.name,
        "seconds": round(found.evidence.amount, 3),
        "quality": round(found.evidence.quality, 5),
        "vector": [round(value, 6) for value in found.vector.tolist()],
    }


def activities(capture: Capture) -> dict[str, Any]:
    """The activity of a capture under the shipped bundle."""
    (folder,) = MODELS.glob("activity@*")
    recognizer = load_recognizer(folder)
    call = recognizer.activity(condition(capture.signal(), capture.fs_hz))
    return {
        "capture": capture.name,
        "encoder": recognizer.encoder_id,
        "probabilities": [round(value, 5) for value in call.probabilities.tolist()],
    }


def main() -> None:
    """Write all vectors and probabilities."""
    document = {
        "activity": [activities(capture) for capture in CAPTURES],
        "vectors": {
            encoder.encoder_id: [encoded(encoder, capture) for capture in CAPTURES] for encoder in encoders()
        },
    }
    VECTORS.write_text(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
