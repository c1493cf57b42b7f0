"""What the software of a sensor painted around a print, in exactly one value."""

from __future__ import annotations

import cv2
import numpy as np

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask


def flat_surroundings(picture: FloatImage) -> Mask:
    """Find areas of one value, and their margin; all 0 if they are too small to be surroundings.

    Args:
        picture: float32, shape (height, width).

    Returns:
        1 where nothing was captured, uint8, same shape.
    """
    window = np.ones((c.FLAT_WINDOW, c.FLAT_WINDOW), np.uint8)
    spread = cv2.dilate(picture, window) - cv2.erode(picture, window)
    flat = (spread < c.FLAT_RANGE).astype(np.uint8)
    if flat.mean() < c.FLAT_SHARE:
        return np.zeros_like(flat)
    flat = cv2.morphologyEx(flat, cv2.MORPH_OPEN, np.ones((c.FLAT_OPENING, c.FLAT_OPENING), np.uint8))
    return np.asarray(cv2.dilate(flat, np.ones((c.FLAT_MARGIN, c.FLAT_MARGIN), np.uint8)))


def filled(picture: FloatImage, missing: Mask) -> FloatImage:
    """Fill what was not captured with the mean of what lies around, so that its edge is no ridge.

    Args:
        picture: float32, shape (height, width).
        missing: 1 where to fill, uint8, same shape.
    """
    if not missing.any() or missing.all():
        return picture
    known = (1 - missing).astype(np.float32)
    window = (c.FILL_WINDOW, c.FILL_WINDOW)
    weight = cv2.blur(known, window)
    around = cv2.blur(picture * known, window) / np.maximum(weight, 1e-6)
    overall = picture[missing == 0].mean()
    local = np.where(weight > 1e-3, around, overall)
    return np.where(missing > 0, local, picture).astype(np.float32)
