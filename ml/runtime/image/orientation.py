"""Pictures as their camera was held, turned upright."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo what EXIF's orientation says.

    Args:
        pixels: As stored, uint8, shape (height, width) or (height, width, 3).
        orientation: 1 to 8.

    Returns:
        Contiguous, of the same kind; 5 to 8 swap height and width.

    Source:
        JEITA CP-3451, tag 0112.
    """
    return _TURNS[orientation](pixels)


def _mirrored(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.flip(pixels, 1))


def _transposed(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.transpose(pixels))


_TURNS: Final[Mapping[int, Callable[[Pixels], Pixels]]] = {
    1: lambda pixels: pixels,
    2: _mirrored,
    3: lambda pixels: np.asarray(cv2.rotate(pixels, cv2.ROTATE_180)),
    4: lambda pixels: np.asarray(cv2.flip(pixels, 0)),
    5: _transposed,
    6: lambda pixels: np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)),
    7: lambda pixels: np.asarray(cv2.rotate(_transposed(pixels), cv2.ROTATE_180)),
    8: lambda pixels: np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)),
}
