"""An opened fingerprint template: minutiae and their cylinders, ready to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DIRECTIONS: Final = 256


@dataclass(frozen=True, eq=False, repr=False)
class FingerprintTemplate:
    """One impression as the comparer reads it. Biometric data: never logged, immutable.

    The minutiae whose cylinders can be compared come first.

    Args:
        key: The detail it was opened from; equal keys are equal templates, and their order decides which
            of two templates is compared with which, so that both orders give one score.
        x, y: Half pixels at 500 dpi, whole numbers; float64, shape (n,).
        turns: The direction, a whole turn being `DIRECTIONS`; uint8, shape (n,).
        n_cylinders: How many have a cylinder that can be compared.
        bits: Cylinders, uint64, shape (n_cylinders, words).
        cells: Which of their cells lie on the finger, uint64, shape (n_cylinders,).
        dpi: Of the image that it was made from.
        quality: 0 to 1.
    """

    key: bytes
    x: FloatArray
    y: FloatArray
    turns: NDArray[np.uint8]
    n_cylinders: int
    bits: NDArray[np.uint64]
    cells: NDArray[np.uint64]
    dpi: float
    quality: float

    @property
    def direction(self) -> FloatArray:
        """Radians in [0, 2π); float64, shape (n,)."""
        return np.asarray(self.turns * (2.0 * np.pi / DIRECTIONS))

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"FingerprintTemplate({len(self)} minutiae)"
