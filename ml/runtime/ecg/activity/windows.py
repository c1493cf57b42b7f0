"""Segments of a strip, and the context around each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# A strip cut to 3 s may lack half a sample at an odd rate, and a whole one at 100 Hz.
GRACE_S = 0.011


def segment_edges_s(duration_s: float, step_s: float) -> FloatArray:
    """Divide a strip into segments of equal length; the last may be up to half a step longer or shorter.

    Args:
        duration_s: Length of the strip, positive.
        step_s: Length of a segment.

    Returns:
        Start of each segment, then the end of the last; float64, shape (n_segments + 1,).
    """
    n_segments = max(1, round(duration_s / step_s))
    return np.asarray(np.append(step_s * np.arange(n_segments), duration_s), dtype=np.float64)


def fitting_context_s(duration_s: float, contexts_s: Sequence[float]) -> float:
    """Return the longest context that fits into a strip; the shortest if none does."""
    held = [context_s for context_s in contexts_s if context_s <= duration_s + GRACE_S]
    return max(held, default=min(contexts_s))


def context_starts_s(edges_s: FloatArray, context_s: float) -> FloatArray:
    """Center a context on each segment, and shift it into the strip where it would reach beyond.

    Args:
        edges_s: Edges of the segments, float64, shape (n_segments + 1,).
        context_s: Length of a context.

    Returns:
        Start of each context, float64, shape (n_segments,); 0 if the strip is shorter than a context.
    """
    centers_s = (edges_s[1:] + edges_s[:-1]) / 2.0
    latest_s = max(edges_s[-1] - context_s, 0.0)
    return np.asarray(np.clip(centers_s - context_s / 2.0, 0.0, latest_s))
