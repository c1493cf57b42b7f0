"""What went wrong before the samples were taken: no contact, or an amplifier at its rails.

Looked for in the raw strip, because every filter smooths the evidence away. Both masks are the same for a
strip and its mirror image, and for any gain and offset.
"""

import numpy as np
from numpy.typing import NDArray

from ml.signal import constants as c


def flat_samples(raw: NDArray[np.float64], fs_hz: float) -> NDArray[np.bool_]:
    """Samples that stay at one value for at least a second.

    Args:
        raw: Any unit, float64, shape (n_samples,), unfiltered.
        fs_hz: Sampling rate.

    Returns:
        bool, shape (n_samples,).
    """
    starts, ends = _runs(raw)
    long = ends - starts >= c.FLAT_RUN_S * fs_hz
    return _mask(starts[long], ends[long], raw.size)


def saturated_samples(raw: NDArray[np.float64], fs_hz: float) -> NDArray[np.bool_]:
    """Samples that stay at the largest or smallest value of the strip for longer than a peak does.

    A strip that rests at its extreme, as one without any negative wave may, is not saturated: a rail lies far
    from the median.

    Args:
        raw: Any unit, float64, shape (n_samples,), unfiltered.
        fs_hz: Sampling rate.

    Returns:
        bool, shape (n_samples,).
    """
    starts, ends = _runs(raw)
    values = raw[starts]
    lowest, median, highest = raw.min(), np.median(raw), raw.max()
    far = c.RAIL_MIN_DISTANCE * (highest - lowest)
    at_rail = ((values == highest) & (highest - median > far)) | (
        (values == lowest) & (median - lowest > far)
    )
    long = ends - starts >= max(2.0, c.RAIL_RUN_S * fs_hz)
    return _mask(starts[at_rail & long], ends[at_rail & long], raw.size)


def _runs(raw: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and end (exclusive) of each run of equal samples."""
    changes = np.flatnonzero(np.diff(raw)) + 1
    return np.concatenate(([0], changes)), np.concatenate((changes, [raw.size]))


def _mask(starts: NDArray[np.int64], ends: NDArray[np.int64], n_samples: int) -> NDArray[np.bool_]:
    edges = np.zeros(n_samples + 1, dtype=np.int64)
    edges[starts] += 1
    edges[ends] -= 1
    return np.asarray(np.cumsum(edges[:-1]) > 0)
