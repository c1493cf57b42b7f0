"""What the extraction makes of one picture of a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.minutiae import Minutiae

FloatImage = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Impression:
    """A fingerprint as the extraction sees it, also for pictures of it. Biometric data: never logged.

    Maps are on a grid of 8 × 8 pixels at 500 dpi; the first block is the picture's upper left corner.

    Args:
        minutiae: In pixels of the picture at 500 dpi.
        mask: Where there is fingerprint; bool, shape (rows, columns).
        ridge_angle: Along the ridges, radians in [0, π), from x towards y; float32, same shape.
        quality_map: Legibility of the ridges, 0 to 1; float32, same shape, 0 outside the mask.
        ridge_period_px: Median distance of ridges, pixels at 500 dpi.
        quality: How well this impression can be compared, 0 to 1.
        size_px: Width and height of the picture at 500 dpi.
    """

    cell_px: ClassVar[float] = float(c.BLOCK)

    minutiae: Minutiae
    mask: NDArray[np.bool_]
    ridge_angle: FloatImage
    quality_map: FloatImage
    ridge_period_px: float
    quality: float
    size_px: tuple[int, int]

    def __repr__(self) -> str:
        return f"Impression({len(self.minutiae)} minutiae, {self.quality:.2f})"
