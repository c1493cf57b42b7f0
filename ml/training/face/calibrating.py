"""Fit a calibration to the calibration people, and measure its decisions on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.data.splits import digest
from ml.metrics.error_rates import eer
from ml.metrics.intervals import wilson
from ml.runtime.calibration.llr import Calibration
from ml.runtime.matching.comparisons import llr_where_compared
from ml.runtime.matching.demand import Demand
from ml.training.calibration_fit import CohortScores, fit_calibration
from ml.training.face.cohorts import Pictures, cohorts_of

OPERATING_FMRS: Final = (1e-2, 1e-3)
MATED_SCORES: Final = (
    "AR: another session, two weeks later; ORL: the same weeks; expressions and light differ, all grey"
)


def calibrate(
    pictures: Mapping[str, Pictures],
) -> tuple[Calibration, dict[str, Any], list[dict[str, Any]]]:
    """Fit a calibration, and measure it.

    Args:
        pictures: Of the calibration people by set.

    Returns:
        The calibration, `calibration_data` and `operating_points` of `bundle.json`.
    """
    cohorts = cohorts_of(pictures)
    calibration = fit_calibration(cohorts)
    people = sorted({str(subject) for cohort in cohorts for subject in cohort.subjects or ()})
    refused = sum(bool(picture.code) for group in pictures.values() for picture in group.values())
    about = {
        "set": " and ".join(f"{len({p for p, _ in group})} of {name}" for name, group in pictures.items()),
        "people": len(people),
        "people_sha256": digest(people),
        "non_mated_pairs": calibration.non_mated_pairs,
        "mated_scores": MATED_SCORES,
        "pictures": sum(len(group) for group in pictures.values()),
        "failures_to_acquire": refused,
    }
    points = [_operating_point(name, cohorts, calibration, f) for name in pictures for f in OPERATING_FMRS]
    return calibration, about, points


def _operating_point(
    name: str, cohorts: Sequence[CohortScores], calibration: Calibration, fmr: float
) -> dict[str, Any]:
    own = [cohort for cohort in cohorts if str((cohort.subjects or ("",))[0]).startswith(f"{name}/")]
    tables = [_scores(cohort, calibration) for cohort in own]
    mated = np.concatenate([np.diag(table) for table in tables])
    others = np.concatenate([table[~np.eye(len(table), dtype=bool)] for table in tables])
    threshold_db = Demand(fmr).threshold_db(calibration.null(0))
    softened = calibration.soften_db(others[np.isfinite(others)])
    missed = int(np.count_nonzero(~(calibration.soften_db(np.nan_to_num(mated, nan=-300.0)) >= threshold_db)))
    return {
        "protocol": f"{name} calibration people (the calibration was fitted to them)",
        "fmr": fmr,
        "threshold_db": threshold_db,
        "measured_fmr": round(float(np.mean(softened >= threshold_db)), 6),
        "fnmr": round(missed / mated.size, 4),
        "fnmr_interval_95": [round(limit, 4) for limit in wilson(missed, mated.size).to_list()],
        "non_matches": missed,
        "mated": int(mated.size),
        "eer": round(eer(np.nan_to_num(mated, nan=-np.inf), others[np.isfinite(others)]), 5),
        "failures_to_acquire": int(np.count_nonzero(np.isnan(mated))),
    }


def _scores(cohort: CohortScores, calibration: Calibration) -> NDArray[np.float64]:
    """Unsoftened scores, NaN where a side was refused; shape (n, n)."""
    found, _ = llr_where_compared(calibration, cohort.cosine, cohort.references[:, None], cohort.probes)
    return found
