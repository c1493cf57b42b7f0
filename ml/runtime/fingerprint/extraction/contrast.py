"""Local contrast: the same for light and heavy pressure."""

from __future__ import annotations

import cv2
import numpy as np

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.grids import FloatImage, block_means, blurred, enlarged


def equalized(picture: FloatImage) -> FloatImage:
    """Bring every neighborhood to mean 0 and the same deviation.

    Args:
        picture: Gray values, float32, both sides multiples of `FINE_BLOCK`.

    Returns:
        Within ±`CONTRAST_CLIP`, float32, same shape.
    """
    from_mean = picture - _local_mean(picture)
    deviation = cv2.sqrt(_local_mean(from_mean * from_mean))
    return np.asarray(
        np.clip(from_mean / (deviation + c.CONTRAST_FLOOR), -c.CONTRAST_CLIP, c.CONTRAST_CLIP), np.float32
    )


def _local_mean(picture: FloatImage) -> FloatImage:
    """Blur on a coarse grid, which for so wide a Gaussian is the same and costs a tenth."""
    coarse = block_means(picture, c.FINE_BLOCK)
    return enlarged(blurred(coarse, c.CONTRAST_SIGMA / c.FINE_BLOCK), c.FINE_BLOCK)
