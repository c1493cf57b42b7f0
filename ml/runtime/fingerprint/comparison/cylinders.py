"""Minutia cylinders: what surrounds a minutia, seen from its own place and direction, as bits.

Each cylinder stands on one minutia and turns with it, so that it is the same however the finger lies. Its
base is a grid of cells, its height the difference of directions. Bits say how much of its neighbors lies near
a cell with about that difference: one for each level that it reaches.

Source:
    Cappelli, Ferrara and Maltoni, 2010, Minutia Cylinder-Code: a new representation and matching technique
    for fingerprint recognition. Here with 8 × 8 cells, so that one section fits a machine word, and two
    levels instead of one, which tell as much as 16 × 16 cells do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ml.runtime.fingerprint.minutiae import Minutiae

FloatArray = NDArray[np.float64]
BitArray = NDArray[np.uint64]

CELLS_A_SIDE: Final = 8
CELLS: Final = CELLS_A_SIDE**2
SECTIONS: Final = 6
RADIUS_PX: Final = 70.0
SPREAD_PX: Final = 28.0 / 3.0
SPREAD_RAD: Final = 2.0 * np.pi / 9.0
LEVELS: Final = (0.003, 0.015)
WORDS: Final = SECTIONS * len(LEVELS)
HULL_MARGIN_PX: Final = 50.0
LEAST_SHARE_OF_CELLS: Final = 0.75
LEAST_NEIGHBORS: Final = 2

_HULL_STEP_PX = 4.0
_LEAST_MINUTIAE = 3


def _cell_centers() -> FloatArray:
    """Along one side, from −radius to radius; float64, shape (CELLS_A_SIDE,)."""
    places = np.arange(CELLS_A_SIDE, dtype=np.float64) - (CELLS_A_SIDE - 1) / 2.0
    return np.asarray(places * (2.0 * RADIUS_PX / CELLS_A_SIDE))


_CENTERS = _cell_centers()
_IN_CIRCLE = (_CENTERS[:, None] ** 2 + _CENTERS**2 <= RADIUS_PX**2).ravel()
CELLS_IN_CIRCLE: Final = int(_IN_CIRCLE.sum())
_SECTION_WIDTH = 2.0 * np.pi / SECTIONS
_SECTION_CENTERS = -np.pi + (np.arange(SECTIONS) + 0.5) * _SECTION_WIDTH
_ROOT_OF_PEAK = np.float32((SPREAD_PX * np.sqrt(2.0 * np.pi)) ** -0.5)
_PLACES = np.uint64(1) << np.arange(CELLS, dtype=np.uint64)


@dataclass(frozen=True, eq=False, repr=False)
class Cylinders:
    """One cylinder per minutia; biometric data.

    Args:
        bits: One word per section and level, uint64, shape (n, WORDS).
        cells: Which cells lie on the finger, uint64, shape (n,); no bit is set outside.
        valid: Which minutiae see enough of the finger for their cylinder to be compared; bool, shape (n,).
        fillings: What the bits are made of, 0 outside the finger; float32, shape (n, CELLS · SECTIONS).
    """

    bits: BitArray
    cells: BitArray
    valid: NDArray[np.bool_]
    fillings: NDArray[np.float32]


def cylinders(minutiae: Minutiae) -> Cylinders:
    """Build the cylinder of every minutia."""
    n = len(minutiae)
    if n < _LEAST_MINUTIAE:
        return _nothing(n)
    xy, direction = minutiae.xy.astype(np.float64), minutiae.direction.astype(np.float64)
    ahead, aside = _in_own_frame(xy, direction)
    on_finger = _cells_on_finger(xy, direction)
    fillings = _contributions(ahead, aside, direction) * on_finger[:, :, None]
    levels = np.concatenate([fillings > level for level in LEVELS], axis=2)  # (n, CELLS, WORDS)
    reach = RADIUS_PX + 3.0 * SPREAD_PX
    neighbors = np.count_nonzero(ahead**2 + aside**2 <= reach**2, axis=1) - 1
    enough = on_finger.sum(axis=1) >= LEAST_SHARE_OF_CELLS * CELLS_IN_CIRCLE
    return Cylinders(
        bits=_packed(levels.transpose(0, 2, 1)),
        cells=_packed(on_finger),
        valid=enough & (neighbors >= LEAST_NEIGHBORS),
        fillings=fillings.reshape(n, CELLS * SECTIONS),
    )


def _nothing(n: int) -> Cylinders:
    return Cylinders(
        bits=np.zeros((n, WORDS), np.uint64),
        cells=np.zeros(n, np.uint64),
        valid=np.zeros(n, dtype=np.bool_),
        fillings=np.zeros((n, CELLS * SECTIONS), np.float32),
    )


def _in_own_frame(xy: FloatArray, direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the others lie as each minutia sees them; float64, shape (n, n) each."""
    x, y = xy[None, :, 0] - xy[:, None, 0], xy[None, :, 1] - xy[:, None, 1]
    cos, sin = np.cos(direction)[:, None], np.sin(direction)[:, None]
    return cos * x + sin * y, cos * y - sin * x


def _contributions(ahead: FloatArray, aside: FloatArray, direction: FloatArray) -> NDArray[np.float32]:
    """What neighbors add to each cell and section; float32, shape (n, CELLS, SECTIONS)."""
    along, across = _falling(ahead), _falling(aside)
    n = len(direction)
    near = (along[:, :, None, :] * across[:, None, :, :]).reshape(n, CELLS, n)
    turned = _directional(direction[:, None] - direction)
    turned[np.arange(n), np.arange(n)] = 0.0  # A minutia does not see itself.
    return np.asarray(near @ turned)  # (n, CELLS, n) @ (n, n, SECTIONS)


def _falling(place: FloatArray) -> NDArray[np.float32]:
    """One factor of the Gaussian around every row of cells; shape (n, n) → float32 (n, CELLS_A_SIDE, n)."""
    off = (place.astype(np.float32)[:, None, :] - _CENTERS.astype(np.float32)[:, None]) / np.float32(
        SPREAD_PX
    )
    return np.asarray(_ROOT_OF_PEAK * np.exp(np.float32(-0.5) * off * off))


def _directional(difference: FloatArray) -> NDArray[np.float32]:
    """How much of a difference of directions falls into each section; float32, shape (n, n, SECTIONS)."""
    off = np.abs(_wrapped(difference[..., None] - _SECTION_CENTERS))
    half = _SECTION_WIDTH / 2.0
    share = ndtr((off + half) / SPREAD_RAD) - ndtr((off - half) / SPREAD_RAD)
    return np.asarray(share, dtype=np.float32)


def _wrapped(angle: FloatArray) -> FloatArray:
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)


def _cells_on_finger(xy: FloatArray, direction: FloatArray) -> NDArray[np.bool_]:
    """Which cells of each cylinder lie within the widened hull of all minutiae; shape (n, CELLS)."""
    hull, origin = _widened_hull(xy)
    u, v = np.repeat(_CENTERS, CELLS_A_SIDE), np.tile(_CENTERS, CELLS_A_SIDE)
    cos, sin = np.cos(direction)[:, None], np.sin(direction)[:, None]
    column = ((xy[:, 0, None] + cos * u - sin * v - origin[0]) / _HULL_STEP_PX).astype(np.int64)
    row = ((xy[:, 1, None] + sin * u + cos * v - origin[1]) / _HULL_STEP_PX).astype(np.int64)
    height, width = hull.shape
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height) & _IN_CIRCLE
    return np.asarray(inside & hull[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)])


def _widened_hull(xy: FloatArray) -> tuple[NDArray[np.bool_], FloatArray]:
    """Paint the convex hull of the minutiae and a margin on a coarse grid; also where the grid begins."""
    origin = xy.min(axis=0) - HULL_MARGIN_PX - 2.0 * _HULL_STEP_PX
    size = ((xy.max(axis=0) + HULL_MARGIN_PX + 2.0 * _HULL_STEP_PX - origin) / _HULL_STEP_PX).astype(int) + 2
    canvas = np.zeros((size[1], size[0]), dtype=np.uint8)
    corners = cv2.convexHull(((xy - origin) / _HULL_STEP_PX).astype(np.int32))
    cv2.fillConvexPoly(canvas, corners, 1)
    reach = int(HULL_MARGIN_PX / _HULL_STEP_PX)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(canvas, disc).astype(np.bool_), origin


def _packed(flags: NDArray[np.bool_]) -> BitArray:
    """One word per row of CELLS flags; uint64, shape (...,)."""
    return np.asarray(np.where(flags, _PLACES, np.uint64(0)).sum(axis=-1, dtype=np.uint64))
