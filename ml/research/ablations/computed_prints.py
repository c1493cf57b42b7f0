"""Do computed prints behave like real ones? `python -m ml.research.ablations.computed_prints`.

The extractor and the comparer that ship look at FVC2000 DB1 to DB3, which chose and fitted them, and at
computed fingers that nothing was fitted to. Writes `results/fingerprint/computed-prints.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ml.data.fingerprints import DEVELOPMENT, read_fvc
from ml.evaluation.fingerprint.protocols import SetScores, scored
from ml.metrics.error_rates import eer, fnmr, oracle_threshold
from ml.runtime.bundle import default_bundle
from ml.runtime.encoder import load_bundle
from ml.runtime.errors import CaptureError
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.extraction.acceptance import MM_PER_PIXEL
from ml.runtime.fingerprint.extraction.extractor import extract
from ml.runtime.fingerprint.extraction.impression import Impression
from ml.runtime.fingerprint.preparation import written_detail
from ml.synthetic.fingerprint import ComputedFinger
from ml.training.fingerprint.impressions import TrainingPrint

FloatArray = NDArray[np.float64]
DATA, MODELS = Path("../shared/data"), Path("models")
RESULT = Path("results/fingerprint/computed-prints.json")
FINGERS, IMPRESSIONS, FIRST_SEED = 36, 4, 2000
CONDITIONS = ("normal", "poor")
MATED, NON_MATED = (0.01, 0.05, 0.25, 0.5), (0.5, 0.95, 0.99, 0.999)
SPREAD = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Picture:
    """A print of a known finger."""

    finger: str
    pixels: NDArray[np.uint8]
    dpi: float


@dataclass(frozen=True)
class Found:
    """What extractor and comparer make of a set.

    Args:
        density: Minutiae per mm² of each print that was accepted.
        period_px: Its distance of ridges, at 500 dpi.
        scores: All comparisons of the set.
    """

    density: FloatArray
    period_px: FloatArray
    scores: SetScores


def real(name: str) -> Iterator[Picture]:
    for file in read_fvc(DATA, name):
        pixels = np.asarray(cv2.imread(str(file.path), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        yield Picture(file.finger, pixels, float(file.dpi))


def computed(quality: str) -> Iterator[Picture]:
    for seed in range(FIRST_SEED, FIRST_SEED + FINGERS):
        finger = ComputedFinger.draw(seed)
        for number in range(IMPRESSIONS):
            pressed = finger.impression(number, quality=quality)
            yield Picture(str(seed), pressed.image, float(pressed.dpi))


def find(pictures: Iterable[Picture], comparer: FingerprintComparer) -> Found:
    """Extract and compare a set."""
    impressions, prints = [], []
    for number, picture in enumerate(pictures):
        try:
            impression = extract(picture.pixels, picture.dpi)
            written = written_detail(impression.minutiae, picture.dpi, impression.quality)
        except CaptureError:
            prints.append(TrainingPrint(picture.finger, picture.finger, number, None, 0.0))
            continue
        impressions.append(impression)
        prints.append(TrainingPrint(picture.finger, picture.finger, number, written, impression.quality))
    periods_px = np.array([one.ridge_period_px for one in impressions])
    return Found(np.array([density(one) for one in impressions]), periods_px, scored(prints, comparer))


def density(impression: Impression) -> float:
    """Return minutiae per mm² of print."""
    cell_mm = impression.cell_px * MM_PER_PIXEL
    return len(impression.minutiae) / (float(impression.mask.sum()) * cell_mm**2)


def row(name: str, found: Found, scale: float) -> list[str]:
    mated, non_mated = found.scores.mated, found.scores.non_mated
    missed = [100.0 * fnmr(mated, oracle_threshold(non_mated, rate)) for rate in (0.01, 0.001)]
    return [
        name,
        f"{found.scores.refused} of {found.scores.pictures}",
        _quantiles(found.density, SPREAD, 3),
        _quantiles(found.period_px, SPREAD, 1),
        _quantiles(log_odds(mated, scale), MATED, 1),
        _quantiles(log_odds(non_mated, scale), NON_MATED, 2),
        f"{100.0 * eer(mated, non_mated):.2f}",
        *(f"{one:.1f}" for one in missed),
    ]


def log_odds(similarity: FloatArray, scale: float) -> FloatArray:
    """Undo the combiner's squashing, for pairs of which neither print was refused."""
    return np.asarray(scale * np.arctanh(similarity[np.isfinite(similarity)]))


def _quantiles(values: FloatArray, shares: tuple[float, ...], digits: int) -> str:
    return " ".join(f"{one:.{digits}f}" for one in np.quantile(values, shares))


def main() -> None:
    encoder = load_bundle(default_bundle(MODELS, "fingerprint"))
    comparer = encoder.preparation.comparer()
    assert isinstance(comparer, FingerprintComparer)
    sets = {f"real: {name}": real(name) for name in DEVELOPMENT}
    sets |= {f"computed: {quality}": computed(quality) for quality in CONDITIONS}
    scale = float(encoder.info.preprocessing["combiner"]["scale"])
    rows = [row(name, find(pictures, comparer), scale) for name, pictures in track(sets.items(), "comparing")]
    RESULT.write_text(json.dumps(document(encoder.encoder_id, rows), indent=1) + "\n", encoding="utf-8")


def document(encoder_id: str, rows: list[list[str]]) -> dict[str, object]:
    return {
        "title": "Computed fingerprints beside real ones",
        "question": "Do computed fingers behave like real ones before an extractor and a matcher?",
        "protocol": f"{encoder_id}, all pairs of a set. Computed: {FINGERS} fingers (seeds {FIRST_SEED}-"
        f"{FIRST_SEED + FINGERS - 1}) of {IMPRESSIONS} impressions, sensor optical. Real: FVC2000, which"
        " chose and fitted extractor and combiner; ten fingers of eight impressions each. Densities and"
        " periods over prints: 5th, 50th and 95th percentile. Log odds of the combiner: quantiles of pairs. A"
        " refused print counts as a mated non-match.",
        "columns": [
            "prints",
            "refused",
            "minutiae per mm2",
            "ridge period, px at 500 dpi",
            "mated: 1, 5, 25, 50 %",
            "non-mated: 50, 95, 99, 99.9 %",
            "EER %",
            "FNMR at FMR 1 %",
            "FNMR at FMR 0.1 %",
        ],
        "rows": rows,
        "note": NOTE,
        "commands": ["python -m ml.research.ablations.computed_prints"],
    }


NOTE = (
    "Normal computed prints are easier than real ones, poor ones harder. Pairs of different fingers score"
    " alike: the 99.9 % quantiles of computed prints lie within those of the three databases or next to them."
    " Ten fingers of a real database make 2 880 such pairs, so these tails show little. Extractor and"
    " comparer have seen the real prints, not the computed ones."
)


if __name__ == "__main__":
    main()
