"""Where ridges run: a field of orientations, from the structure tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.grids import FloatImage, block_means, blurred, length

_LEAST = np.float32(1e-6)  # So that nothing is divided by 0.


@dataclass(frozen=True, eq=False)
class OrientationField:
    """Orientations on the fine grid, as vectors of the doubled angle of the gradient.

    Orientations repeat after half a turn, vectors of the doubled angle do not, so these can be averaged.

    Args:
        x: Float32, shape (rows, columns).
        y: Likewise.
        coherence: 1 where all gradients agree, 0 where none do; float32, same shape.
    """

    x: FloatImage
    y: FloatImage
    coherence: FloatImage

    @property
    def ridge_angle(self) -> FloatImage:
        """Radians along the ridges in [0, π), from x towards y; float32, same shape."""
        return ridge_angle(self.x, self.y)


def halved(field: OrientationField) -> OrientationField:
    """Average the orientations of two by two blocks."""
    return OrientationField(*(block_means(part, 2) for part in (field.x, field.y, field.coherence)))


def ridge_angle(x: FloatImage, y: FloatImage) -> FloatImage:
    """Return the angle along ridges of vectors of the doubled angle across them."""
    across = np.float32(0.5) * np.arctan2(y, x)
    return np.asarray(np.mod(across + np.float32(math.pi / 2), np.float32(math.pi)), np.float32)


def raw_orientations(contrast: FloatImage) -> OrientationField:
    """Estimate orientations of an equalized picture.

    Where a neighborhood agrees with itself it decides, elsewhere a wider one does.

    Args:
        contrast: Float32, both sides multiples of `FINE_BLOCK`.
    """
    tensor = _tensor(contrast, c.GRADIENT_SIGMA, c.FINE_BLOCK)
    narrow = _smoothed(tensor, c.NARROW_SIGMA / c.FINE_BLOCK)
    wide = _smoothed(tensor, c.WIDE_SIGMA / c.FINE_BLOCK)
    trust = np.asarray(np.minimum(narrow.coherence, 1.0) ** 2, np.float32)
    to_narrow = trust / (length(narrow.x, narrow.y) + _LEAST)
    to_wide = (np.float32(c.WIDE_SHARE) - np.float32(c.WIDE_SHARE) * trust) / (
        length(wide.x, wide.y) + _LEAST
    )
    x = to_narrow * narrow.x + to_wide * wide.x
    y = to_narrow * narrow.y + to_wide * wide.y
    return OrientationField(np.asarray(x, np.float32), np.asarray(y, np.float32), narrow.coherence)


def enhanced_orientations(even: FloatImage, amplitude: FloatImage, pixel: int) -> OrientationField:
    """Estimate orientations again from filtered ridges.

    Args:
        even: Even part of the filtered picture, float32, shape (height / pixel, width / pixel).
        amplitude: Float32, same shape.
        pixel: Side of its pixels in pixels at 500 dpi; divides `FINE_BLOCK`.
    """
    block = c.FINE_BLOCK // pixel
    ridges = even / (amplitude + np.float32(0.05))
    weight = block_means(amplitude, block)
    weight = weight / (weight + np.float32(c.AMPLITUDE_HALF))
    x, y, energy = _tensor(ridges, c.ENHANCED_GRADIENT_SIGMA / pixel, block)
    return _smoothed((x * weight, y * weight, energy * weight), c.ENHANCED_SIGMA / c.FINE_BLOCK)


def _tensor(picture: FloatImage, sigma: float, block: int) -> tuple[FloatImage, FloatImage, FloatImage]:
    """Return means over blocks: squared gradients as vectors of the doubled angle, and their energy."""
    smooth = blurred(picture, sigma)
    gx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    xx, yy = gx * gx, gy * gy
    return block_means(xx - yy, block), block_means(2.0 * gx * gy, block), block_means(xx + yy, block)


def _smoothed(tensor: tuple[FloatImage, FloatImage, FloatImage], sigma: float) -> OrientationField:
    x, y, energy = (blurred(part, sigma) for part in tensor)
    return OrientationField(x, y, length(x, y) / (energy + _LEAST))
