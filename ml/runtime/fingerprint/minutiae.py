"""Minutiae: where ridges of a fingerprint end or fork."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class Minutiae:
    """The minutiae of one impression. Biometric data: never logged.

    Args:
        xy: Pixels at 500 dpi, x to the right and y downwards; float32, shape (n, 2).
        direction: Along the ridge, radians in [0, 2π), from x towards y; float32, shape (n,).
        quality: 0 to 1; float32, shape (n,).

    Raises:
        ValueError: Shapes that differ.
    """

    xy: NDArray[np.float32]
    direction: NDArray[np.float32]
    quality: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.direction)
        if self.xy.shape != (n, 2) or self.direction.shape != (n,) or self.quality.shape != (n,):
            raise ValueError(
                f"expected a place, a direction and a quality each, found {self.xy.shape},"
                f" {self.direction.shape} and {self.quality.shape}"
            )

    def __len__(self) -> int:
        return len(self.direction)

    def __repr__(self) -> str:
        return f"Minutiae({len(self)})"
