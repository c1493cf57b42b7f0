"""The skin of one finger, laid flat: ridges, pores, creases and minutiae."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator

from ml.synthetic.fingerprint.growth import RidgeWave
from ml.synthetic.fingerprint.random_fields import FloatArray, smooth_field
from ml.synthetic.fingerprint.strokes import draw_strokes
from ml.synthetic.fingerprint.true_minutiae import TrueMinutiae

# The flat skin at 500 dpi: 20 × 26 mm, the crease of the last joint near the lower edge.
WIDTH_PX, HEIGHT_PX = 400, 520
AXIS_X_PX, CREASE_Y_PX = 200.0, 500.0
# Ridges do not differ in height beside a minutia, only at it.
FLATTENING = 0.08
# Jagged edges of ridges, as a part of a ridge's height.
JAGGEDNESS = 0.16
JAG_SCALE_PX = 1.3
# Tries to place a pore; those beside the middle of a ridge fail.
PORE_TRIES_PER_PX = 0.012
PORE_DEPTH = 1.1
PORE_RADIUS_PX = 0.9
MEAN_CREASES = 2.5
# Between fingers; the first two of the logarithm.
SIZE_SPREAD, WEAR_SPREAD, DRYNESS_SPREAD = 0.08, 0.30, 0.15


@dataclass(frozen=True, eq=False)
class Skin:
    """What a finger carries to every impression.

    Args:
        height: 1 on ridges, −1 in valleys, lower in pores and creases; float32, shape
            (`HEIGHT_PX`, `WIDTH_PX`).
        minutiae: In pixels of it.
        size: Of the finger, 1 for a usual one.
        wear: How rough the skin is, 1 for a usual one: scales grain and scratches of every impression.
        dryness: How much thinner its ridges always print, below 0 thicker; a part of a ridge's height.
    """

    height: FloatArray = field(repr=False)
    minutiae: TrueMinutiae = field(repr=False)
    size: float
    wear: float
    dryness: float


def draw_skin(wave: RidgeWave, minutiae: TrueMinutiae, rng: Generator) -> Skin:
    """Enlarge grown ridges to 500 dpi, and draw what else is on the skin."""
    strength = np.hypot(wave.cosine, wave.sine)
    even = wave.cosine / (strength + FLATTENING * float(np.median(strength)))
    height = _enlarged(even.astype(np.float32))
    height += JAGGEDNESS * smooth_field(height.shape, JAG_SCALE_PX, rng)
    height -= PORE_DEPTH * _pores(height, rng)
    height -= draw_strokes(height.shape, rng.poisson(MEAN_CREASES), rng, length_px=(30.0, 140.0))
    size, wear, dryness = np.clip(rng.standard_normal(3), -2.0, 2.0).tolist()
    return Skin(
        height,
        minutiae,
        size=math.exp(SIZE_SPREAD * size),
        wear=math.exp(WEAR_SPREAD * wear),
        dryness=DRYNESS_SPREAD * dryness,
    )


def _enlarged(grid: FloatArray) -> FloatArray:
    """The grid's values at every pixel; the first row and column stay the first."""
    x = np.arange(WIDTH_PX, dtype=np.float32) * (grid.shape[1] / WIDTH_PX)
    y = np.arange(HEIGHT_PX, dtype=np.float32) * (grid.shape[0] / HEIGHT_PX)
    enlarged: FloatArray = cv2.remap(
        grid,
        np.tile(x, (HEIGHT_PX, 1)),
        np.tile(y[:, None], (1, WIDTH_PX)),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return enlarged


def _pores(height: FloatArray, rng: Generator) -> FloatArray:
    tries = round(PORE_TRIES_PER_PX * height.size)
    rows, columns = rng.integers(0, height.shape[0], tries), rng.integers(0, height.shape[1], tries)
    on_ridge = height[rows, columns] > 0.85
    pores = np.zeros_like(height)
    pores[rows[on_ridge], columns[on_ridge]] = 1.0
    blurred: FloatArray = cv2.GaussianBlur(pores, (0, 0), PORE_RADIUS_PX)
    return blurred * (2.0 * np.pi * PORE_RADIUS_PX**2)
