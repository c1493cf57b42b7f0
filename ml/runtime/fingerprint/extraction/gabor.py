"""Contextual filtering: a complex Gabor filter along the ridges of each block.

Each block of pixels has one filter out of a bank. All blocks of one filter are filtered by one product of
matrices: rows are the blocks with their neighborhoods, columns the filter shifted to each pixel of a block.
That is as exact as filtering pixel by pixel, and matrix products are what processors do fastest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask, length
from ml.runtime.fingerprint.extraction.products import MOST_MULTIPLICATIONS

Numbers = NDArray[np.int64]

SIDE: Final = 4
"""Of the blocks that share a filter, in pixels of the filtered picture."""


@dataclass(frozen=True, eq=False)
class FilteredRidges:
    """A picture seen through filters along its ridges.

    Args:
        even: Ridges as cosines, float32, shape (height, width); 0 outside the foreground.
        odd: The sine that belongs to it, counted across the ridges, in the sense of `bin`.
        orientation: Number of the orientation that each block was filtered in, of `N_ORIENTATIONS` in half a
            turn; int64, shape (height / SIDE, width / SIDE).
    """

    even: FloatImage
    odd: FloatImage
    orientation: NDArray[np.int64]

    @property
    def amplitude(self) -> FloatImage:
        """Strength of the ridges, float32, shape (height, width)."""
        return length(self.even, self.odd)


def filter_ridges(
    contrast: FloatImage, angle: FloatImage, frequency: FloatImage, mask: Mask, pixel: int
) -> FilteredRidges:
    """Filter the foreground of a picture along its ridges.

    Args:
        contrast: Equalized picture, float32, both sides multiples of `SIDE`.
        angle: Of each block along its ridges, radians in [0, π]; float32, (height / SIDE, width / SIDE).
        frequency: Cycles per pixel at 500 dpi; float32, same shape.
        mask: 1 for blocks to be filtered, uint8, same shape.
        pixel: Side of the picture's pixels, in pixels at 500 dpi.

    Source:
        Hong, Wan and Jain, "Fingerprint image enhancement", 1998, section 2.6, here with both phases.
    """
    bank = filter_bank(pixel)
    orientation = np.rint(angle * np.float32(c.N_ORIENTATIONS / math.pi)).astype(np.int64) % c.N_ORIENTATIONS
    rows, columns = np.nonzero(mask)
    chosen = orientation[rows, columns] * len(c.FREQUENCIES) + _nearest(frequency[rows, columns])
    order = np.argsort(chosen, kind="stable")
    rows, columns, chosen = rows[order], columns[order], chosen[order]
    windows = _windows(contrast, c.FILTER_RADIUS // pixel)
    values = _filtered(windows, (rows, columns), chosen, bank)
    parts = np.zeros((2, mask.shape[0], SIDE, mask.shape[1], SIDE), np.float32)
    parts[:, rows, :, columns, :] = values.reshape(-1, 2, SIDE, SIDE)
    even, odd = parts.reshape(2, *contrast.shape)
    return FilteredRidges(even, odd, orientation)


@cache
def filter_bank(pixel: int) -> NDArray[np.float32]:
    """Return every filter at every place of a block.

    Args:
        pixel: Side of the picture's pixels, in pixels at 500 dpi.

    Returns:
        float32, shape (orientations × frequencies, neighborhood, even and odd part × pixels of a block).
    """
    radius = c.FILTER_RADIUS // pixel
    filters = _filters(radius, pixel)
    size, side = 2 * radius + 1, 2 * radius + SIDE
    bank = np.zeros((len(filters), side, side, 2, SIDE, SIDE), np.float32)
    for i in range(SIDE):
        for j in range(SIDE):
            bank[:, i : i + size, j : j + size, :, i, j] = filters
    return bank.reshape(len(filters), side * side, 2 * SIDE * SIDE)


def _filters(radius: int, pixel: int) -> NDArray[np.float64]:
    """Return complex Gabor filters, shape (orientations × frequencies, size, size, 2)."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    angle = (np.arange(c.N_ORIENTATIONS) * math.pi / c.N_ORIENTATIONS)[:, None, None, None]
    frequency = (np.array(c.FREQUENCIES) * pixel)[None, :, None, None]
    across = (y * np.cos(angle) - x * np.sin(angle)) * frequency
    along = (x * np.cos(angle) + y * np.sin(angle)) * frequency
    envelope = np.exp(-0.5 * (across / c.SIGMA_ACROSS) ** 2 - 0.5 * (along / c.SIGMA_ALONG) ** 2)
    even = envelope * np.cos(2.0 * math.pi * across)
    even -= envelope * (even.sum((2, 3), keepdims=True) / envelope.sum((2, 3), keepdims=True))
    odd = envelope * np.sin(2.0 * math.pi * across)
    both = np.stack([even, odd], axis=-1) / np.abs(even).sum((2, 3), keepdims=True)[..., None]
    return np.asarray(both.reshape(-1, *both.shape[2:]))


def _nearest(frequency: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the numbers of the nearest frequencies of the bank, which are evenly spaced."""
    first, second = c.FREQUENCIES[:2]
    number = np.rint((frequency - np.float32(first)) / np.float32(second - first))
    return np.asarray(np.clip(number, 0, len(c.FREQUENCIES) - 1), np.int64)


def _windows(contrast: FloatImage, radius: int) -> NDArray[np.float32]:
    """Return a view of each block with its neighborhood, shape (rows, columns, side, side)."""
    side = 2 * radius + SIDE
    framed = cv2.copyMakeBorder(contrast, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    return sliding_window_view(framed, (side, side))[::SIDE, ::SIDE]


def _filtered(
    windows: NDArray[np.float32], at: tuple[Numbers, Numbers], chosen: Numbers, bank: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Filter blocks, a few of one filter at a time.

    Neighborhoods overlap, so all of them would be forty times the picture. Some dozen at a time stay in the
    processor's cache.

    Args:
        windows: From `_windows`.
        at: Rows and columns of the blocks.
        chosen: The number of each block's filter, sorted.
        bank: From `filter_bank`.
    """
    values = np.empty((len(chosen), bank.shape[2]), np.float32)
    at_once = max(1, MOST_MULTIPLICATIONS // bank[0].size)
    starts = np.flatnonzero(np.diff(chosen, prepend=-1))
    for first, last in pairwise([*starts, len(chosen)]):
        for start in range(first, last, at_once):
            some = slice(start, min(last, start + at_once))
            neighborhoods = windows[at[0][some], at[1][some]].reshape(-1, bank.shape[1])
            np.matmul(neighborhoods, bank[chosen[first]], out=values[some])
    return values
