"""Minutiae of a computed finger: known, not extracted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.synthetic.fingerprint.growth import RidgeWave
from ml.synthetic.fingerprint.random_fields import FloatArray

# Two opposite minutiae closer than this share less than half a ridge: no camera would show them.
CLOSEST_PAIR_PX = 5.0
# Where the line that begins at a minutia shows whether it is a ridge or a valley.
AHEAD_PERIODS = 0.7
# Corners of a cell of the grid, as it is walked around: down, right.
_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))
_NEWTON_STEPS = 4


@dataclass(frozen=True, eq=False)
class TrueMinutiae:
    """Where ridges end or fork.

    Args:
        xy: Pixels, x to the right and y downwards; float32, shape (n, 2).
        direction: Radians in [0, 2π), from x towards y: from an ending along its ridge, from a fork between
            its branches; float32, shape (n,).
        is_ending: False for a fork; bool, shape (n,).
        number: The same minutia of a finger has the same number in every impression; int, shape (n,).
    """

    xy: NDArray[np.float32]
    direction: NDArray[np.float32]
    is_ending: NDArray[np.bool_]
    number: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.direction)

    def where(self, keep: NDArray[np.bool_]) -> TrueMinutiae:
        """Return some of them."""
        return TrueMinutiae(self.xy[keep], self.direction[keep], self.is_ending[keep], self.number[keep])


def find_minutiae(wave: RidgeWave, direction: FloatArray, period: FloatArray, step_px: float) -> TrueMinutiae:
    """Find the places that the phase of the ridges turns around.

    Args:
        wave: Grown ridges, shape (h, w).
        direction: Ridge directions, radians; float32, shape (h, w).
        period: Pixels at 500 dpi; float32, shape (h, w).
        step_px: Pixels per step of the grid.

    Source:
        Larkin & Fletcher 2007, "A coherent framework for fingerprint analysis: are fingerprints holograms?",
        Optics Express 15(14): a minutia is a spiral of the phase, of charge +1 or −1.
    """
    corners = _corner_waves(wave, direction)
    charge = _charge(corners)
    rows, columns = np.nonzero(charge)
    inside = _zero_in_cell(corners[:, rows, columns])
    at = np.stack([columns, rows], 1) + inside
    sense = np.where(charge[rows, columns] > 0, 0.0, np.pi)
    towards = (direction[rows, columns] + sense) % (2.0 * np.pi)
    steps_ahead = AHEAD_PERIODS / step_px * period[rows, columns, None]
    ahead = at + steps_ahead * np.stack([np.cos(towards), np.sin(towards)], 1)
    is_ending = _is_ridge(wave.cosine, ahead)
    xy = (at * step_px).astype(np.float32)
    found = TrueMinutiae(xy, towards.astype(np.float32), is_ending, np.arange(len(xy)))
    return found.where(~_cancelled(found))


def _corner_waves(wave: RidgeWave, direction: FloatArray) -> NDArray[np.complex64]:
    """Cosine + i·sine at the four corners of every cell, their signs made consistent; shape (4, h−1, w−1)."""
    height, width = direction.shape
    corners = []
    for down, right in _CORNERS:
        part = np.s_[down : height - 1 + down, right : width - 1 + right]
        same_sense = np.cos(direction[part] - direction[:-1, :-1]) >= 0.0
        corners.append(wave.cosine[part] + 1j * np.where(same_sense, wave.sine[part], -wave.sine[part]))
    return np.stack(corners).astype(np.complex64)


def _charge(corners: NDArray[np.complex64]) -> NDArray[np.int64]:
    turns = np.angle(np.roll(corners, -1, axis=0) * corners.conj()).sum(0)
    charge: NDArray[np.int64] = np.rint(turns / (2.0 * np.pi)).astype(np.int64)
    return charge


def _zero_in_cell(corners: NDArray[np.complex64]) -> NDArray[np.float64]:
    """Where in the cell the wave, taken as bilinear, is zero: right and down, 0 to 1, shape (n, 2)."""
    origin, right, both, down = corners.astype(np.complex128)
    twist = both - right - down + origin
    at = np.full((origin.size, 2), 0.5)
    for _ in range(_NEWTON_STEPS):
        x, y = at.T
        value = origin + (right - origin) * x + (down - origin) * y + twist * x * y
        by_x, by_y = right - origin + twist * y, down - origin + twist * x
        area = by_x.real * by_y.imag - by_x.imag * by_y.real
        area = np.where(np.abs(area) < 1e-12, np.inf, area)
        at -= np.stack(
            [
                (value.real * by_y.imag - value.imag * by_y.real) / area,
                (by_x.real * value.imag - by_x.imag * value.real) / area,
            ],
            1,
        )
        at = np.clip(at, 0.0, 1.0)
    return at


def _is_ridge(cosine: FloatArray, at: NDArray[np.float64]) -> NDArray[np.bool_]:
    column, row = np.rint(at).astype(int).T
    height, width = cosine.shape
    is_ridge: NDArray[np.bool_] = cosine[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)] > 0.0
    return is_ridge


def _cancelled(minutiae: TrueMinutiae) -> NDArray[np.bool_]:
    """Members of pairs that face each other closely; nearest pairs first, each minutia once."""
    apart = np.linalg.norm(minutiae.xy[:, None] - minutiae.xy[None], axis=2)
    opposite = np.cos(minutiae.direction[:, None] - minutiae.direction[None]) < -0.5
    first, second = np.nonzero(np.triu((apart < CLOSEST_PAIR_PX) & opposite, 1))
    gone = np.zeros(len(minutiae), bool)
    for pair in np.argsort(apart[first, second], kind="stable"):
        members = [first[pair], second[pair]]
        if not gone[members].any():
            gone[members] = True
    return gone
