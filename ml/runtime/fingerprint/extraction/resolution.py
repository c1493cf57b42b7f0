"""Pictures at the working resolution of 500 dpi."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.errors import DpiImplausibleError
from ml.runtime.fingerprint.extraction import constants as c

FloatImage = NDArray[np.float32]

MID_GRAY = 127.5


def at_working_resolution(gray: NDArray[np.uint8], dpi: float) -> FloatImage:
    """Resample a picture to 500 dpi, in whole blocks.

    Gray values are counted from the middle of their range, so that an inverted picture (dark ridges or light
    ones) gives exactly the negative.

    Args:
        gray: uint8, shape (height, width).
        dpi: Its resolution.

    Returns:
        −127.5 to 127.5, float32, both sides multiples of `PERIOD_STEP`; the last row and column are repeated
        to fill the last blocks.

    Raises:
        DpiImplausibleError: At this resolution the picture is larger than any finger.
    """
    width, height = working_size(gray.shape[1], gray.shape[0], dpi)
    if max(height, width) > c.LARGEST_SIDE:
        raise DpiImplausibleError(
            f"expected at most {c.LARGEST_SIDE / c.WORKING_DPI:.1f} inches a side,"
            f" found {max(height, width) / c.WORKING_DPI:.1f} at {dpi:g} dpi"
        )
    picture = gray.astype(np.float32) - np.float32(MID_GRAY)
    if (height, width) != gray.shape:
        method = cv2.INTER_AREA if dpi > c.WORKING_DPI else cv2.INTER_CUBIC
        picture = cv2.resize(picture, (width, height), interpolation=method)
    return np.asarray(
        cv2.copyMakeBorder(
            picture, 0, -height % c.PERIOD_STEP, 0, -width % c.PERIOD_STEP, cv2.BORDER_REPLICATE
        )
    )


def working_size(width: int, height: int, dpi: float) -> tuple[int, int]:
    """Return the width and height that a picture has at 500 dpi, before it is filled to whole blocks."""
    scale = c.WORKING_DPI / dpi
    return max(1, round(width * scale)), max(1, round(height * scale))
