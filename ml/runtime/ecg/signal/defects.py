"""Defects of the recording: no contact, or a saturated amplifier.

They are detected in the raw strip, because every filter smooths them away. Both masks are the same for a
strip and its mirror image, and for any gain and offset.
"""

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.order_statistics import median


def flat_samples(raw: NDArray[np.float64], fs_hz: float) -> NDArray[np.bool_]:
    """Find samples that stay at one value for at least a second.

    Args:
        raw: Any unit, float64, shape (n_samples,), unfiltered.
        fs_hz: Sampling rate.

    Returns:
        bool, shape (n_samples,).
    """
    starts, ends = _long_runs(raw, c.FLAT_RUN_S * fs_hz)
    return _mask(starts, ends, raw.size)


def saturated_samples(raw: NDArray[np.float64], fs_hz: float) -> NDArray[np.bool_]:
    """Find samples that stay at the largest or smallest value of the strip for longer than a peak does.

    A strip that rests at its extreme, such as one without negative waves, is not saturated: saturation lies
    far from the median.

    Args:
        raw: Any unit, float64, shape (n_samples,), unfiltered.
        fs_hz: Sampling rate.

    Returns:
        bool, shape (n_samples,).
    """
    starts, ends = _long_runs(raw, max(2.0, c.RAIL_RUN_S * fs_hz))
    values = raw[starts]
    lowest, highest = raw.min(), raw.max()
    is_highest, is_lowest = values == highest, values == lowest
    if not (is_highest.any() or is_lowest.any()):  # Most strips need no median.
        return np.zeros(raw.size, dtype=np.bool_)
    middle, far = median(raw), c.RAIL_MIN_DISTANCE * (highest - lowest)
    at_rail = (is_highest & (highest - middle > far)) | (is_lowest & (middle - lowest > far))
    return _mask(starts[at_rail], ends[at_rail], raw.size)


def _long_runs(raw: NDArray[np.float64], n_samples: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and end (exclusive) of each run of at least so many equal samples."""
    edges = np.concatenate(([0], np.flatnonzero(raw[1:] != raw[:-1]) + 1, [raw.size]))
    long = np.flatnonzero(edges[1:] - edges[:-1] >= n_samples)
    return edges[long], edges[long + 1]


def _mask(starts: NDArray[np.int64], ends: NDArray[np.int64], n_samples: int) -> NDArray[np.bool_]:
    if starts.size == 0:
        return np.zeros(n_samples, dtype=np.bool_)
    edges = np.zeros(n_samples + 1, dtype=np.int64)
    edges[starts] += 1
    edges[ends] -= 1
    return np.asarray(np.cumsum(edges[:-1]) > 0)
