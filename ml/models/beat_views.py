"""Views of a heartbeat for the discriminant axes: shape, slope and curvature, whole and in parts.

Each view is standardized separately, so that a larger T wave or a sharper QRS changes one view and leaves the
others unchanged. Views are odd: those of `-x` are minus those of `x`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Variance added before a part is standardized, as a share of the variance of the whole: an isoelectric part
# would otherwise be nothing but noise.
PART_VARIANCE_FLOOR = 0.05
WHOLE_VARIANCE_FLOOR = 1e-12
# Where the QRS lies about the fiducial point.
QRS_BEGIN_S = -0.072
QRS_END_S = 0.104


@dataclass(frozen=True)
class BeatView:
    """Samples `start` to `stop` of the `order`-th standardized difference of a beat.

    Args:
        order: 0 the shape, 1 its slope, 2 its curvature.
        start, stop: Samples of that difference.
        variance_floor: Added before the square root.
    """

    order: int
    start: int
    stop: int
    variance_floor: float


def beat_views(n_samples: int, fiducial: int, fs_hz: float) -> tuple[BeatView, ...]:
    """Lay out the views of beats of a given length.

    Args:
        n_samples: Of a beat.
        fiducial: Sample of the fiducial point.
        fs_hz: Sampling rate.
    """
    begin, end = fiducial + round(QRS_BEGIN_S * fs_hz), fiducial + round(QRS_END_S * fs_hz)
    wholes = [BeatView(order, 0, n_samples - order, WHOLE_VARIANCE_FLOOR) for order in (0, 1, 2)]
    parts = [
        BeatView(order, start, stop, PART_VARIANCE_FLOOR)
        for order in (0, 1)
        for start, stop in ((0, begin), (begin, end), (end, n_samples - order))
    ]
    return (*wholes, *parts)


def apply_views(shapes: NDArray[np.floating], views: Sequence[BeatView]) -> FloatArray:
    """Compute all views, side by side.

    Args:
        shapes: Standardized beats, float, shape (n, n_samples).
        views: From `beat_views`.

    Returns:
        float64, shape (n, sum of the views' lengths).
    """
    differences = [np.asarray(shapes, dtype=np.float64)]
    for _ in range(max(view.order for view in views)):
        differences.append(_standardized(np.diff(differences[-1], axis=1), WHOLE_VARIANCE_FLOOR))
    pieces = [_standardized(differences[v.order][:, v.start : v.stop], v.variance_floor) for v in views]
    return np.concatenate(pieces, axis=1)


def _standardized(rows: FloatArray, variance_floor: float) -> FloatArray:
    centered = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + variance_floor))
