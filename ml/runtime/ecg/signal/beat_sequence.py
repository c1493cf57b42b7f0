"""Choice of heartbeats among candidates: the sequence that explains heights and rhythm best.

Height counts for a beat. An RR interval unlike its neighbors counts against it, and a blunt wave soon after
a sharper one is its T wave. One sum over the whole sequence replaces the usual separate rules for
search-back, T waves and noise, whose order would matter.
"""

from math import log

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c


def most_plausible_sequence(
    times_s: NDArray[np.float64], height: NDArray[np.float64], sharpness: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Choose heartbeats among candidates by dynamic programming.

    Args:
        times_s: Increasing, float64, shape (n_candidates,).
        height: Share of the local QRS level, positive, float64, same shape.
        sharpness: The same for the steep part of the spectrum, positive, float64, same shape.

    Returns:
        Indices of the chosen candidates, increasing, int64.
    """
    first_guess = _one_by_one(times_s, height, sharpness)
    if first_guess.size < 3:
        return first_guess
    usual_rr_s = _usual_rr_s(times_s, first_guess)
    return _best_path(times_s.tolist(), _evidence(height).tolist(), sharpness.tolist(), usual_rr_s.tolist())


def _evidence(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of height over threshold; a height above all beats is an artifact."""
    giant = np.maximum(height / c.GIANT_HEIGHT, 1.0)
    return np.asarray(np.log(height / c.BEAT_THRESHOLD) - c.GIANT_PENALTY * np.log(giant))


def _t_wave_penalty(delay_s: float, relative_sharpness: float) -> float:
    """Evidence for a T wave: it follows its QRS soon and is blunter."""
    if delay_s >= c.T_WAVE_END_S or relative_sharpness >= c.T_WAVE_MAX_SHARPNESS:
        return 0.0
    bluntness = 1.0 - relative_sharpness / c.T_WAVE_MAX_SHARPNESS
    return c.T_WAVE_PENALTY_PER_S * (c.T_WAVE_END_S - delay_s) * bluntness


def _one_by_one(
    times_s: NDArray[np.float64], height: NDArray[np.float64], sharpness: NDArray[np.float64]
) -> NDArray[np.int64]:
    """A first guess without rhythm: candidates that are high enough and not the T wave of the beat before."""
    evidence = _evidence(height)
    kept: list[int] = []
    for j in np.flatnonzero(height >= c.BEAT_THRESHOLD).tolist():
        if kept:
            i = kept[-1]
            delay_s = float(times_s[j] - times_s[i])
            if evidence[j] < _t_wave_penalty(delay_s, float(sharpness[j] / sharpness[i])):
                continue
        kept.append(j)
    return np.array(kept, dtype=np.int64)


def _usual_rr_s(times_s: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.float64]:
    """The expected RR interval at each candidate."""
    from scipy.ndimage import median_filter

    rr_s = median_filter(np.diff(times_s[beats]), c.USUAL_RR_BEATS, mode="nearest")
    return np.asarray(np.interp(times_s, times_s[beats[1:]], rr_s))


def _best_path(
    times_s: list[float], evidence: list[float], sharpness: list[float], usual_rr_s: list[float]
) -> NDArray[np.int64]:
    """Plain lists: the loop is short, and element access to arrays would cost more than the arithmetic.

    The nearest predecessors come first, as they are mostly the best. A predecessor whose sum is lower already
    can be skipped, because nothing is added on the way. Of equally good ones, the first in time is taken.
    """
    total: list[float] = []
    previous: list[int] = []
    for j, time_s in enumerate(times_s):
        best, best_i = (0.0, -1) if j < c.PATH_REACH else (-np.inf, -1)
        for i in range(j - 1, max(0, j - c.PATH_REACH) - 1, -1):
            if total[i] < best:
                continue
            rr_s = time_s - times_s[i]
            value = total[i] - c.RHYTHM_PENALTY * min(abs(log(rr_s / usual_rr_s[j])), c.RHYTHM_PENALTY_CAP)
            if rr_s < c.T_WAVE_END_S:
                value -= _t_wave_penalty(rr_s, sharpness[j] / sharpness[i])
            if value > best or (value == best and best_i >= 0):
                best, best_i = value, i
        total.append(best + evidence[j])
        previous.append(best_i)
    j = max(range(max(0, len(total) - c.PATH_REACH), len(total)), key=total.__getitem__)
    path = [j]
    while previous[path[-1]] >= 0:
        path.append(previous[path[-1]])
    return np.array(path[::-1], dtype=np.int64)
