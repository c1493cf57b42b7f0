"""Computed fillings of cylinders: fingers by number, and takes of them."""

import numpy as np
from numpy.typing import NDArray

CELLS = 24


def fillings_of(finger: int, take: int, n: int = 10) -> NDArray[np.float32]:
    """Non-negative rows that a take changes a little; float32, shape (n, CELLS)."""
    own = np.random.default_rng(finger).gamma(1.0, 0.01, (n, CELLS))
    noise = np.random.default_rng([finger, take]).normal(1.0, 0.1, (n, CELLS))
    return (own * np.clip(noise, 0.0, None)).astype(np.float32)
