"""Fewer points that look the same: of each stretch of a signal its first lowest and highest sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def envelope(y: NDArray[np.float64], stretches: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Choose the samples that a line as wide as `stretches` pixels needs.

    Args:
        y: Any unit, float, shape (n,), n ≥ 1.
        stretches: How many there are.

    Returns:
        Increasing indices and their samples, at most two of each stretch, its peaks among them.
    """
    if y.size <= 2 * stretches:
        every = np.arange(y.size)
        return every, y
    size = -(-y.size // stretches)
    padded = np.pad(y, (0, -y.size % size), mode="edge").reshape(-1, size)
    starts = np.arange(len(padded)) * size
    lowest, highest = padded.argmin(axis=1) + starts, padded.argmax(axis=1) + starts
    kept = np.unique(np.minimum(np.concatenate([lowest, highest]), y.size - 1))
    return kept, y[kept]
