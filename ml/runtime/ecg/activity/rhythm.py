"""Rhythm of the heartbeats of a window: rate, trend, variability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RHYTHM_NAMES = (
    "log_heart_rate",
    "log_slow_heart_rate",
    "log_fast_heart_rate",
    "heart_rate_slope",
    "log_rr_deviation",
    "log_rr_change",
    "regular_share",
)

# Intervals that differ from the median by more than this (log) come from a missed or an invented beat, not
# from breathing.
REGULAR_LOG_RR = 0.3
# Quantile of the intervals, from either end, at which slow and fast rates are read.
OUTER_SHARE = 0.2
# Intervals are known to about a sample; it keeps logarithms of smaller deviations finite.
RR_RESOLUTION_S = 0.003


def rhythm_features(r_times_s: NDArray[np.float64]) -> dict[str, float]:
    """Compute the rhythm features of a window; those that need more beats are absent.

    Args:
        r_times_s: Times of heartbeats, ascending, seconds, float64, shape (n_beats,).

    Returns:
        Some of `RHYTHM_NAMES`: rates as log bpm, slope as log per second, deviations as log seconds.
    """
    rr_s = np.diff(r_times_s)
    if not rr_s.size:
        return {}
    usual_s = float(np.median(rr_s))
    regular = np.abs(np.log(rr_s / usual_s)) < REGULAR_LOG_RR
    found = {
        "log_heart_rate": np.log(60.0 / usual_s),
        "log_slow_heart_rate": np.log(60.0 / np.quantile(rr_s, 1.0 - OUTER_SHARE)),
        "log_fast_heart_rate": np.log(60.0 / np.quantile(rr_s, OUTER_SHARE)),
        "regular_share": regular.mean(),
    }
    if regular.sum() >= 3:
        middle_s = (r_times_s[1:] + r_times_s[:-1]) / 2.0
        found["heart_rate_slope"] = _slope(middle_s[regular], -np.log(rr_s[regular]))
        found["log_rr_deviation"] = np.log(rr_s[regular].std() + RR_RESOLUTION_S)
    change_s = np.diff(rr_s)[regular[1:] & regular[:-1]]
    if change_s.size:
        found["log_rr_change"] = np.log(np.sqrt(np.mean(change_s**2)) + RR_RESOLUTION_S)
    return {name: float(value) for name, value in found.items()}


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    centered = x - x.mean()
    return float(centered @ y / (centered @ centered))
