"""Ridges grown out of noise by filters that follow direction and period.

Each place has its own Gabor filter. Applied over and over, with the response saturated in between, they
turn noise into ridges; where neighboring ridges do not fit together, minutiae arise by themselves.

Source:
    Cappelli, Erol, Maio & Maltoni 2000, "Synthetic fingerprint-image generation", ICPR: growing by contextual
    Gabor filters. Noise everywhere as the seed, and the saturation, are choices of this code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ml.synthetic.fingerprint.random_fields import FloatArray

RADIUS = 5
# Of a period; across the ridges and along them.
SIGMA_ACROSS, SIGMA_ALONG = 0.40, 0.50
ROUNDS = 14
GAIN = 6.0


@dataclass(frozen=True)
class RidgeWave:
    """Ridges as a wave: cosine and sine, the sine's sign after the ridge direction at the same place.

    Args:
        cosine: 1 on ridges, −1 in valleys; float32, shape (h, w).
        sine: Float32, shape (h, w).
    """

    cosine: FloatArray
    sine: FloatArray


def grow(direction: FloatArray, period: FloatArray, step_px: float, rng: Generator) -> RidgeWave:
    """Grow ridges.

    Args:
        direction: Ridge directions, radians; float32, shape (h, w).
        period: Distance of neighboring ridges; pixels, float32, shape (h, w).
        step_px: Pixels per step of the grid.
        rng: Draws the noise that ridges grow from.
    """
    even, odd = _filters(direction, np.float32(step_px) / period)
    ridges = rng.standard_normal(direction.shape, dtype=np.float32)
    for _ in range(ROUNDS):
        ridges = np.tanh(GAIN * _filtered(ridges, even))
    return RidgeWave(_filtered(ridges, even), _filtered(ridges, odd))


def _offsets() -> list[tuple[int, int]]:
    side = range(-RADIUS, RADIUS + 1)
    return [(down, right) for down in side for right in side if down**2 + right**2 <= (RADIUS + 0.5) ** 2]


def _filters(direction: FloatArray, frequency: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The even and the odd filter of each place, float32, shape (offsets, h, w)."""
    down, right = np.array(_offsets(), np.float32).T[:, :, None, None]
    cos, sin = np.cos(direction), np.sin(direction)
    across = (cos * down - sin * right) * frequency
    along = (cos * right + sin * down) * frequency
    bell = np.exp(-0.5 * ((across / SIGMA_ACROSS) ** 2 + (along / SIGMA_ALONG) ** 2))
    phase = np.float32(2.0 * np.pi) * across
    even = bell * np.cos(phase)
    even -= bell * (even.sum(0) / bell.sum(0))
    norm = np.abs(even).sum(0)
    # The minus makes the phase grow across the ridges, which the sense of minutiae rests on.
    return even / norm, -bell * np.sin(phase) / norm


def _filtered(image: FloatArray, weights: FloatArray) -> FloatArray:
    height, width = image.shape
    padded = np.pad(image, RADIUS)
    response = np.zeros_like(image)
    product = np.empty_like(image)
    for weight, (down, right) in zip(weights, _offsets(), strict=True):
        top, left = RADIUS + down, RADIUS + right
        np.multiply(weight, padded[top : top + height, left : left + width], out=product)
        response += product
    return response
