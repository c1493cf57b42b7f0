"""The distance of neighboring ridges, which differs between people and over a finger.

Source:
    Cappelli, Erol, Maio & Maltoni 2000, "Synthetic fingerprint-image generation", ICPR: wider ridges
    towards the crease, and a smooth variation over the finger.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ml.synthetic.fingerprint.random_fields import FloatArray, smooth_field

MEAN_PX, SD_PX = 9.2, 0.75
NARROWEST_PX, WIDEST_PX = 7.0, 11.5
VARIATION_SD = 0.06
VARIATION_SCALE_PX = 45.0
# Ridges near the crease are wider by this part; the height over which that fades.
CREASE_WIDENING = 0.18
CREASE_REACH_PX = 90.0


def draw_mean_period(rng: Generator) -> float:
    """Draw a finger's mean ridge period; pixels at 500 dpi."""
    return float(np.clip(rng.normal(MEAN_PX, SD_PX), NARROWEST_PX + 0.5, WIDEST_PX - 0.5))


def draw_periods(mean_px: float, place: NDArray[np.complex128], step_px: float, rng: Generator) -> FloatArray:
    """Draw the ridge period everywhere on a finger.

    Args:
        mean_px: Of the finger; pixels at 500 dpi.
        place: Pixels from the foot of the finger's axis, real to the right, imaginary up; complex128, shape
            (h, w).
        step_px: Distance of neighboring places.
        rng: Draws the variation.

    Returns:
        Pixels at 500 dpi, float32, shape (h, w).
    """
    low = np.clip(1.0 - place.imag / CREASE_REACH_PX, 0.0, 1.0)
    variation = VARIATION_SD * smooth_field(place.shape, VARIATION_SCALE_PX / step_px, rng)
    period: FloatArray = mean_px * (1.0 + CREASE_WIDENING * low) * np.exp(variation)
    return period.clip(NARROWEST_PX, WIDEST_PX).astype(np.float32)
