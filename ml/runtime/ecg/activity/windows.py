"""Which parts of a strip are looked at: segments in a row, each seen within a context around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# A strip cut to 3 s at an odd rate may lack half a sample, and one at 100 Hz a whole one.
GRACE_S = 0.011


def segment_edges_s(duration_s: float, step_s: float) -> FloatArray:
    """Divide a strip into segments of a length; the last takes what is left, up to a half more or less.

    Args:
        duration_s: Of the strip, positive.
        step_s: Of a segment.

    Returns:
        Where they begin, and where the last one ends; float64, shape (n_segments + 1,).
    """
    n_segments = max(1, round(duration_s / step_s))
    return np.asarray(np.append(step_s * np.arange(n_segments), duration_s), dtype=np.float64)


def fitting_context_s(duration_s: float, contexts_s: Sequence[float]) -> float:
    """Return the longest context that a strip holds; the shortest where it holds none."""
    held = [context_s for context_s in contexts_s if context_s <= duration_s + GRACE_S]
    return max(held, default=min(contexts_s))


def context_starts_s(edges_s: FloatArray, context_s: float) -> FloatArray:
    """Put a context around each segment, and move it into the strip where it would reach beyond.

    Args:
        edges_s: Of the segments, float64, shape (n_segments + 1,).
        context_s: Length.

    Returns:
        Where each context begins, float64, shape (n_segments,); 0 in a strip shorter than a context.
    """
    centres_s = (edges_s[1:] + edges_s[:-1]) / 2.0
    latest_s = max(edges_s[-1] - context_s, 0.0)
    return np.asarray(np.clip(centres_s - context_s / 2.0, 0.0, latest_s))
