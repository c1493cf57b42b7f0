"""From pixels to blocks and back. A block's value stands for its center."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]
Mask = NDArray[np.uint8]


def block_means(picture: FloatImage, block: int) -> FloatImage:
    """Return the mean of each block; both sides of the picture are multiples of `block`."""
    height, width = picture.shape
    return np.asarray(
        cv2.resize(picture, (width // block, height // block), interpolation=cv2.INTER_AREA), np.float32
    )


def enlarged(blocks: FloatImage, factor: int) -> FloatImage:
    """Interpolate linearly between the centers of blocks."""
    return np.asarray(cv2.resize(blocks, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR))


def repeated(blocks: Mask, factor: int) -> Mask:
    """Give each pixel the value of its block."""
    return np.asarray(cv2.resize(blocks, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST))


def length(x: FloatImage, y: FloatImage) -> FloatImage:
    """Return the length of vectors.

    `cv2.magnitude` would round differently with where the arrays lie in memory.
    """
    return np.asarray(np.sqrt(x * x + y * y))


def blurred(picture: FloatImage, sigma: float) -> FloatImage:
    """Blur by a Gaussian of `sigma` pixels of this grid."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))
