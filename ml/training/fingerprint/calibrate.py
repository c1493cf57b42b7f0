"""Compare the calibration people, fit a calibration for each number of comparisons, and measure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.data.fingerprints import FCJ_CALIBRATION_PEOPLE, read_fcj
from ml.data.splits import digest
from ml.metrics.intervals import wilson
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import IMAGES, EvidenceArray
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.training.calibration_fit import CohortScores, fit_calibration
from ml.training.fingerprint.impressions import TrainingPrint, extract_files
from ml.training.fingerprint.stages import opened

FloatArray = NDArray[np.float64]

COMPARISON_EDGES: Final = (2, 5, 17)
IMPRESSIONS: Final = 6
NON_MATED_SIDES: Final = (1, 2, 4, 6)
"""Impressions on either side in each class: the largest number of comparisons that it holds, as far as the
people of the set have so many."""
MATED_SIDES: Final = (1, 2, 3, 3)
"""Mated sides share no impression, so they are smaller."""
ROTATIONS: Final = 6
OPERATING_FMRS: Final = (1e-2, 1e-3)
MATED_SCORES: Final = "the same finger, other impressions of one session"


@dataclass(frozen=True, eq=False)
class ComparedPeople:
    """Every impression of the calibration fingers compared with every other.

    Args:
        fingers: Sorted names.
        similarity: float64, shape (fingers, k, fingers, k) for k impressions, `IMPRESSIONS` at least; NaN
            where one is missing.
        quality: float64, shape (fingers, k); NaN where missing.
    """

    fingers: tuple[str, ...]
    similarity: FloatArray
    quality: FloatArray


def compare_people(data: Path, comparer: FingerprintComparer, cache: Path) -> ComparedPeople:
    """Compare FCJ people 101–125, but for the pictures that are mislabeled or refused."""
    prints = extract_files("fcj-calibration", read_fcj(data, FCJ_CALIBRATION_PEOPLE), cache)
    return compared_people([one for one in prints if one.written is not None], comparer)


def compared_people(prints: Sequence[TrainingPrint], comparer: FingerprintComparer) -> ComparedPeople:
    """Compare all impressions with each other."""
    fingers = tuple(sorted({one.finger for one in prints}))
    places = [(fingers.index(one.finger), one.impression - 1) for one in prints]
    impressions = max(IMPRESSIONS, *(one.impression for one in prints))
    quality = np.full((len(fingers), impressions), np.nan)
    similarity = np.full((len(fingers), impressions, len(fingers), impressions), np.nan)
    for place, one in zip(places, prints, strict=True):
        quality[place] = one.quality
    found = comparer.similarities(list(combinations([opened(one) for one in prints], 2)))
    for (here, there), value in zip(combinations(places, 2), found, strict=True):
        similarity[(*here, *there)] = similarity[(*there, *here)] = value
    return ComparedPeople(fingers, similarity, quality)


def calibrate(people: ComparedPeople) -> tuple[Calibration, dict[str, Any], list[dict[str, Any]]]:
    """Fit a calibration, and measure its decisions on the same people.

    Returns:
        The calibration, `calibration_data` and `operating_points` of `bundle.json`.
    """
    cohorts = [
        cohort
        for sides in zip(NON_MATED_SIDES, MATED_SIDES, strict=True)
        for cohort in _cohorts(people, *sides)
    ]
    calibration = fit_calibration(cohorts, comparison_edges=COMPARISON_EDGES)
    about = {
        "set": "FCJ2020, people 101–125, four fingers each, mislabeled pictures left out",
        "people": len(people.fingers),
        "people_sha256": digest(people.fingers),
        "non_mated_pairs": calibration.non_mated_pairs,
        "mated_scores": MATED_SCORES,
    }
    return (
        calibration,
        about,
        [_operating_point(calibration, c, fmr) for c in cohorts[::ROTATIONS] for fmr in OPERATING_FMRS],
    )


def _cohorts(people: ComparedPeople, non_mated: int, mated: int) -> list[CohortScores]:
    """Sides of so many impressions, starting at each impression in turn."""
    return [_cohort(people, start, non_mated, mated) for start in range(ROTATIONS)]


def _cohort(people: ComparedPeople, start: int, non_mated: int, mated: int) -> CohortScores:
    scores = _largest(people.similarity, _sides(start, non_mated))
    own = _largest(people.similarity, _sides(start, mated))
    np.fill_diagonal(scores, np.diag(own))
    first, second = (_mean_quality(people.quality[:, side]) for side in _sides(start, mated))
    return CohortScores(
        cosine=scores,
        references=_evidence(first),
        probes=_evidence(second),
        subjects=people.fingers,
        compared=non_mated**2,
    )


def _sides(start: int, size: int) -> tuple[list[int], list[int]]:
    """Impressions of references and of probes; disjoint where there are enough."""
    around = [(start + step) % IMPRESSIONS for step in range(2 * IMPRESSIONS)]
    return around[:size], around[size : 2 * size]


def _largest(similarity: FloatArray, sides: tuple[list[int], list[int]]) -> FloatArray:
    """The largest similarity of any two impressions, NaN without any; shape (fingers, fingers)."""
    chosen = similarity[:, sides[0]][:, :, :, sides[1]]  # (fingers, k, fingers, k)
    filled = np.where(np.isnan(chosen), -np.inf, chosen).max(axis=(1, 3))
    return np.where(np.isfinite(filled), filled, np.nan)


def _mean_quality(quality: FloatArray) -> FloatArray:
    """Over what is there; 0 where nothing is, whose comparisons are NaN anyhow."""
    there = np.isfinite(quality)
    return np.asarray(np.where(there, quality, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1))


def _evidence(quality: FloatArray) -> EvidenceArray:
    return EvidenceArray(np.ones(len(quality)), IMAGES, quality)


def _operating_point(calibration: Calibration, cohort: CohortScores, fmr: float) -> dict[str, Any]:
    evidence = cohort.evidence
    kept = np.isfinite(cohort.cosine)
    scores = np.full(kept.shape, -np.inf)
    llr_db = calibration.llr_db(cohort.cosine[kept], evidence.amount[kept], evidence.quality[kept])
    scores[kept] = calibration.soften_db(llr_db)
    evidence_class = int(np.searchsorted(COMPARISON_EDGES, cohort.compared, side="right"))
    threshold_db = calibration.null(evidence_class).threshold(fmr)
    others = kept & ~np.eye(len(kept), dtype=bool)
    mated = int(np.diag(kept).sum())
    non_matches = int(np.count_nonzero(np.diag(scores)[np.diag(kept)] < threshold_db))
    return {
        "protocol": "FCJ2020 calibration people (the calibration was fitted to them)",
        "compared": cohort.compared,
        "fmr": fmr,
        "threshold_db": threshold_db,
        "measured_fmr": round(float((scores[others] >= threshold_db).mean()), 6),
        "fnmr": round(non_matches / mated, 4),
        "fnmr_interval_95": [round(limit, 4) for limit in wilson(non_matches, mated).to_list()],
        "non_matches": non_matches,
        "mated": mated,
    }


def rows_of(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows of a table of operating points."""
    return [
        f"| {p['compared']} | {p['fmr']:g} | {p['threshold_db']:.2f} | {100 * p['measured_fmr']:.3f} % "
        f"| {p['non_matches']}/{p['mated']} = {100 * p['fnmr']:.1f} % "
        f"({100 * p['fnmr_interval_95'][0]:.1f}–{100 * p['fnmr_interval_95'][1]:.1f}) |"
        for p in points
    ]
