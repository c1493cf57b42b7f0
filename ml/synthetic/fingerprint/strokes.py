"""Thin lines across the ridges: creases and scratches."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ml.synthetic.fingerprint.random_fields import FloatArray

WIDTH_PX = (1.0, 3.0)
BEND = 0.12


def draw_strokes(
    shape: tuple[int, ...], count: int, rng: Generator, *, length_px: tuple[float, float]
) -> FloatArray:
    """Return how deep slightly bent lines cut at each pixel.

    Args:
        shape: Height and width in pixels.
        count: Number of lines.
        rng: Draws places, directions, widths and depths.
        length_px: Shortest and longest.

    Returns:
        0 beside the lines, up to 2 on them; float32.
    """
    depth = np.zeros(shape, np.float32)
    for _ in range(count):
        line = np.zeros(shape, np.uint8)
        cv2.polylines(line, [_bent_line(shape, rng, length_px)], False, 255, 1, cv2.LINE_AA)
        sigma = 0.5 * rng.uniform(*WIDTH_PX)
        cut = cv2.GaussianBlur(line, (0, 0), sigma).astype(np.float32)
        depth = np.maximum(depth, rng.uniform(0.8, 2.0) / max(1.0, float(cut.max())) * cut)
    return depth


def _bent_line(shape: tuple[int, ...], rng: Generator, length_px: tuple[float, float]) -> NDArray[np.int32]:
    middle = rng.uniform(0.0, 1.0, 2) * [shape[1], shape[0]]
    towards = rng.uniform(0.0, np.pi)
    along = np.linspace(-0.5, 0.5, 9) * rng.uniform(*length_px)
    aside = BEND * rng.standard_normal() * (along**2 / abs(along[0]) - abs(along[0]) / 2.0)
    x = middle[0] + np.cos(towards) * along - np.sin(towards) * aside
    y = middle[1] + np.sin(towards) * along + np.cos(towards) * aside
    points: NDArray[np.int32] = np.rint(np.stack([x, y], 1)).astype(np.int32)
    return points
