"""Which pairs may a gallery leave out as "the same person twice"? Two rules under a growing sensor shift.

The first rule leaves out every pair above the bundle's 5 % mated quantile. The second, which
`ml.runtime.matching.gallery_null` follows, also requires that the gallery's own fitted null cannot explain
the pair. Synthetic people, since only there the truth is known and there are enough of them. Beside it stands
what `ml.research.ablations.gallery_tail` found about thresholds beyond a gallery's own pairs:

    python -m ml.research.ablations.gallery_null        # writes docs/results/gallery-null.md
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.report import ReportTable
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null
from ml.training.calibration_fit import CohortScores, fit_calibration

FloatArray = NDArray[np.float64]
RESULT = Path("docs/results/gallery-null.md")
TAIL = Path("results/experiments/gallery-tail.json")
TAIL_SUBJECTS = ("44", "89")
SECONDS = 12.0
SHIFTS = (0.0, 0.4, 0.7, 1.2)
GALLERIES = (30, 89, 300)
SEEDS = range(5)
RATES = (0.01, 0.001)


INTRODUCTION = """# How a gallery corrects its own scores

Scores that are calibrated on one sensor are wrong on another. A gallery with 30 people or more corrects
them, because enrolled people are known to differ: their comparisons with each other show how strangers
score on this sensor. This page compares ways to compute that correction. It is for developers who change
it.

**What was measured.** The rate of false matches divided by the nominal rate: 1 is right, 2 means twice as
many strangers as stated. The first table uses simulated people, because only there the truth is known. The
second uses real people of development sets (CinC dev, LUDB, QTDB).

**How to read the first table.** *Shift* is how far the sensor moves all vectors; 0 is the calibration's own
sensor. Two rules decide which pairs of names are left out as one person enrolled twice. The first leaves
out every pair above the score that 95 % of mated pairs reach. The second, which ships, leaves out only
pairs that the gallery's own statistics cannot explain.

**What matters most.** At the largest shift, uncorrected scores let many times the nominal number of
strangers match. The first rule repairs little of that. The rule that ships stays close to 1.

"""


class People:
    """Embeddings are traits, plus what the sensor adds to everybody, plus noise."""

    def __init__(self, n: int, *, seed: int, shift: float = 0.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._traits = self._rng.normal(size=(n, 14)) * self._rng.uniform(0.7, 1.3, size=(n, 1)) + shift

    def compare(self, seconds: float) -> FloatArray:
        """Cosines of everybody with everybody, shape (n, n)."""
        return self._embed(seconds) @ self._embed(seconds).T

    def _embed(self, seconds: float) -> FloatArray:
        vectors = self._traits + self._rng.normal(size=self._traits.shape) * 1.2 / np.sqrt(seconds)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def main() -> None:
    calibration = calibrated()
    rows = [row(calibration, shift, n) for shift in SHIFTS for n in GALLERIES]
    table = ReportTable(
        "False matches of 600 other people, measured ÷ nominal at 1 % and 0.1 %, mean over 5 galleries",
        (
            "shift",
            "subjects",
            "no correction",
            "all above the mated 5 % quantile left out",
            "pairs left out",
            "only inexplicable ones left out",
            "pairs left out",
        ),
        tuple(rows),
    )
    commands = [f"`python -m ml.research.ablations.{name}`" for name in ("gallery_tail", "gallery_null")]
    made_by = f"Written by {', then '.join(commands)}."
    text = f"{INTRODUCTION}{table.to_markdown()}\n{tail_section()}\n{made_by}\n"
    RESULT.write_text(text, encoding="utf-8")
    print(text)


def tail_section() -> str:
    """What ml.research.ablations.gallery_tail found on real people, the rows of the default encoder."""
    found = json.loads(TAIL.read_text(encoding="utf-8"))
    rows = [row for row in found["rows"] if row[0].startswith("ecg@") and row[2] in TAIL_SUBJECTS]
    table = ReportTable(
        f"{found['title']}: {found['rows'][0][0]}",
        tuple(found["columns"][1:]),
        tuple(tuple(row[1:]) for row in rows),
    )
    return f"{table.to_markdown()}\n{found['protocol']}\n\n{found['note']}\n"


def calibrated() -> Calibration:
    people = People(800, seed=1)
    cohorts = []
    for seconds in (3.0, 5.0, 10.0, 15.0):
        side = EvidenceArray(np.full(800, seconds), "seconds", np.full(800, 0.75))
        cohorts.append(CohortScores(people.compare(seconds), side, side))
    return fit_calibration(cohorts)


def row(calibration: Calibration, shift: float, n: int) -> tuple[str, ...]:
    others = calibration.llr_db(People(600, seed=999, shift=shift).compare(SECONDS), SECONDS, 0.75)
    literal, ours, left_out = [], [], []
    for seed in SEEDS:
        llr_db = calibration.llr_db(People(n, seed=seed, shift=shift).compare(SECONDS), SECONDS, 0.75)
        above = np.maximum(llr_db, llr_db.T) > calibration.mated_quantile_db(2)
        np.fill_diagonal(above, False)
        strict = fit_gallery_null(calibration, llr_db, np.full((n, n), 2))
        loose = fit_gallery_null(calibration, np.where(above, np.nan, llr_db), np.full((n, n), 2))
        literal.append(ratios(calibration, loose, others))
        ours.append(ratios(calibration, strict, others))
        left_out.append((np.count_nonzero(above) / 2, len(strict.possible_duplicates.groups)))
    plain = ratios(calibration, GalleryNull.identity(), others)
    means = np.mean(left_out, axis=0)
    return (
        f"{shift:g}",
        str(n),
        text(plain),
        text(np.mean(literal, axis=0)),
        f"{means[0]:.0f}",
        text(np.mean(ours, axis=0)),
        f"{means[1]:.0f}",
    )


def ratios(calibration: Calibration, correction: GalleryNull, llr_db: FloatArray) -> FloatArray:
    score_db = calibration.soften_db(correction.apply(llr_db))[~np.eye(len(llr_db), dtype=bool)]
    null = correction.null(calibration, 2)
    return np.array([np.mean(score_db >= null.threshold(rate)) / rate for rate in RATES])


def text(values: FloatArray) -> str:
    return " / ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
