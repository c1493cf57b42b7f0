"""E12: open-set identification (ISO/IEC 19795-1): half of the people are enrolled, all are probes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.encodings import TemplateSet
from ml.evaluation.trials.scoring import Comparisons, Scored, compare, gallery_null_of
from ml.evaluation.trials.trials import seeded_halves
from ml.metrics.error_rates import open_set_rates, oracle_threshold
from ml.metrics.intervals import Interval
from ml.runtime.calibration.llr import Calibration

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class OpenSetFigures:
    """Means over seeded halves, with the middle 95 % of the halves.

    Args:
        name: Of the set of people.
        known: Enrolled subjects per half.
        halves: Number of halves.
        fpir: Nominal.
        policy_dir, policy_fpir: Detection-and-identification and false-positive rate at the preset threshold.
        oracle_dir: At the threshold that gives this very half the nominal rate.
        reachable: Share of halves whose threshold lies below the ceiling of one modality.
    """

    name: str
    known: int
    halves: int
    fpir: float
    policy_dir: float
    policy_dir_interval: Interval
    policy_fpir: float
    policy_fpir_interval: Interval
    oracle_dir: float
    oracle_dir_interval: Interval
    reachable: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            key: value.to_list() if isinstance(value, Interval) else value
            for key, value in vars(self).items()
        }


def open_set_figures(
    name: str,
    calibration: Calibration,
    enrolled: TemplateSet,
    probes: TemplateSet,
    *,
    fpir: float,
    halves: int,
) -> OpenSetFigures:
    """Identify all people against galleries of half of them, under the default policy at this `fpir`.

    Args:
        name: Of the set of people.
        calibration: Of the bundle.
        enrolled: One template per subject.
        probes: One per subject, in the same order.
        fpir: Nominal.
        halves: Number of seeded halves.

    Raises:
        ValueError: Probes and templates are not of the same people in the same order.
    """
    if enrolled.subject_ids != probes.subject_ids:
        raise ValueError("an open-set protocol needs one template and one probe per subject, in one order")
    llr_db, classes = compare(calibration, probes, enrolled)
    people = np.arange(len(enrolled.subject_ids))
    whole = Comparisons(llr_db, classes, np.eye(people.size, dtype=bool), people, people)
    outcomes = np.array(
        [_half(whole, calibration, enrolled, known, fpir) for known in seeded_halves(people.size, halves)]
    )  # (halves, 4)
    means = outcomes.mean(axis=0)
    low, high = np.quantile(outcomes, [0.025, 0.975], axis=0)
    spread = [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    return OpenSetFigures(
        name=name,
        known=people.size // 2,
        halves=halves,
        fpir=fpir,
        policy_dir=float(means[0]),
        policy_dir_interval=spread[0],
        policy_fpir=float(means[1]),
        policy_fpir_interval=spread[1],
        oracle_dir=float(means[2]),
        oracle_dir_interval=spread[2],
        reachable=float(means[3]),
    )


def _half(
    whole: Comparisons,
    calibration: Calibration,
    enrolled: TemplateSet,
    kept: NDArray[np.int64],
    fpir: float,
) -> tuple[float, float, float, float]:
    correction = gallery_null_of(calibration, enrolled.subset(kept))
    scored = Scored(whole.columns(kept), calibration, correction)
    margins_db = scored.search(fpir=fpir).margin_db
    mated_rows = scored.comparisons.mated_probes
    strangers = np.setdiff1d(np.arange(len(margins_db)), mated_rows)
    own = margins_db[mated_rows, scored.comparisons.own_column]
    best = margins_db[strangers].max(axis=1)
    ranks = scored.ranks()
    preset = open_set_rates(own, ranks, best, 0.0)
    oracle = open_set_rates(own, ranks, best, oracle_threshold(best, fpir))
    typical_db = float(np.median(scored.search_thresholds_db(fpir=fpir)))
    return preset.dir, preset.fpir, oracle.dir, float(typical_db < calibration.ceiling_db)
