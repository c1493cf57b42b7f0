"""Which part of a picture is fingerprint."""

from __future__ import annotations

import cv2
import numpy as np

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask, block_means, length


def foreground(picture: FloatImage) -> Mask:
    """Find the blocks in which gray values change as over ridges.

    Args:
        picture: float32, both sides multiples of `BLOCK`.

    Returns:
        1 for the foreground, uint8, shape (height / BLOCK, width / BLOCK).
    """
    steepness = length(cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1))
    blocks = cv2.GaussianBlur(
        block_means(steepness, c.BLOCK), (0, 0), c.GRADIENT_SIGMA_BLOCKS, borderType=cv2.BORDER_REFLECT
    )
    steep = (blocks > c.GRADIENT_SHARE * np.percentile(blocks, c.STRONG_PERCENTILE)).astype(np.uint8)
    steep = cv2.morphologyEx(steep, cv2.MORPH_CLOSE, _disk(c.CLOSING_BLOCKS))
    steep = cv2.morphologyEx(steep, cv2.MORPH_OPEN, _disk(c.OPENING_BLOCKS))
    return _without_holes(_large_parts(steep))


def inner(mask: Mask) -> Mask:
    """Drop the outermost blocks, and those at the edge of the picture: filters see nothing beyond them."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.erode(framed, np.ones((3, 3), np.uint8))[1:-1, 1:-1])


def _disk(size: int) -> Mask:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _large_parts(mask: Mask) -> Mask:
    """Drop parts that are much smaller than the largest one."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if n == 1:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # The background.
    return np.isin(labels, np.flatnonzero(areas >= c.SMALLEST_PART * areas.max())).astype(np.uint8)


def _without_holes(mask: Mask) -> Mask:
    """Fill what the foreground surrounds."""
    outside = cv2.copyMakeBorder(1 - mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(outside)
    return np.asarray(labels[1:-1, 1:-1] != labels[0, 0], np.uint8)
