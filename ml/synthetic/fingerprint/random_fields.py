"""Streams of random numbers by key, and smooth random fields drawn from them."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# A field is drawn this many samples per correlation length, then enlarged.
SAMPLES_PER_SCALE = 3.0


def stream(*key: int) -> Generator:
    """Return the random numbers of a key, equal on every platform and in every release of numpy."""
    return Generator(PCG64(SeedSequence(key)))


def smooth_field(shape: tuple[int, int], scale_px: float, rng: Generator) -> FloatArray:
    """Return Gaussian noise without detail finer than a scale.

    Args:
        shape: Height and width in pixels.
        scale_px: Standard deviation of the smoothing; pixels.
        rng: Draws the noise.

    Returns:
        About zero mean and unit variance over many draws; float32, of the shape.
    """
    step = max(1.0, scale_px / SAMPLES_PER_SCALE)
    sigma = scale_px / step
    margin = math.ceil(3.0 * sigma)
    coarse = tuple(math.ceil(side / step) + 1 + 2 * margin for side in shape)
    noise = cv2.GaussianBlur(rng.standard_normal(coarse, dtype=np.float32), (0, 0), sigma)
    # White noise smoothed by a Gaussian keeps 1 / (4πσ²) of its variance.
    noise *= 2.0 * math.sqrt(math.pi) * sigma
    inner = noise[margin:-margin, margin:-margin]
    if step == 1.0:
        return np.ascontiguousarray(inner[: shape[0], : shape[1]])
    size = (round(inner.shape[1] * step), round(inner.shape[0] * step))
    field: FloatArray = cv2.resize(inner, size, interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]
    return field
