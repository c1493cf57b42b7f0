"""Minutiae as residues of the phase of ridges.

Around a minutia the phase of the filtered ridges turns once: one ridge more on one side than on the other.
An inverted picture shifts all phases by half a turn and leaves residues as they are, so ends of dark ridges
and forks of light ones are the same minutiae.

Source:
    Larkin and Fletcher, "A coherent framework for fingerprint analysis: are fingerprints holograms?", 2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.gabor import SIDE, FilteredRidges, Numbers
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask

Corners = NDArray[np.float32]

_DY = np.array([0, 0, 1, 1])
_DX = np.array([0, 1, 1, 0])
"""Corners of a loop of four pixels, once around from x towards y."""


@dataclass(frozen=True, eq=False)
class Residues:
    """Where the phase of ridges turns once around a point.

    Args:
        xy: Pixels of the filtered picture, float32, shape (n, 2).
        positive: The sense of the turn, counted across ridges in the sense of their orientation in [0, π);
            bool, shape (n,).
    """

    xy: NDArray[np.float32]
    positive: NDArray[np.bool_]


def phase_residues(ridges: FilteredRidges, mask: Mask) -> Residues:
    """Find the residues in the foreground.

    Args:
        ridges: The filtered picture.
        mask: 1 where residues are sought, uint8, in blocks of `SIDE` pixels.
    """
    y, x = _candidates(ridges, mask)
    at_y, at_x = y[:, None] + _DY, x[:, None] + _DX
    even = ridges.even[at_y, at_x]
    odd = ridges.odd[at_y, at_x] * _senses(ridges.orientation[at_y // SIDE, at_x // SIDE])
    turns = _turns(even, odd)
    some = turns != 0
    corner = np.stack([x[some], y[some]], axis=1).astype(np.float32)
    return Residues(corner + _zero(even[some], odd[some]), turns[some] > 0)


def _candidates(ridges: FilteredRidges, mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return loops with both signs of both parts, without which the phase cannot turn.

    Where blocks count in opposite senses, signs of the odd part say nothing.
    """
    seam = np.repeat(np.repeat(_seams(ridges.orientation), SIDE, axis=0), SIDE, axis=1)
    inside = np.repeat(np.repeat(mask > 0, SIDE, axis=0), SIDE, axis=1)
    whole = inside[:-1] & inside[1:]
    whole = whole[:, :-1] & whole[:, 1:]
    odd_turns = _both_signs(ridges.odd) | seam[:-1, :-1]
    y, x = np.nonzero(whole & _both_signs(ridges.even) & odd_turns)
    return y, x


def _both_signs(part: FloatImage) -> NDArray[np.bool_]:
    """Say which loops, by their upper left corner, hold values above 0 and others."""
    above = part > 0.0
    across = above[:, :-1] != above[:, 1:]
    down = above[:-1] != above[1:]
    return np.asarray(across[:-1] | across[1:] | down[:, :-1])


def _seams(orientation: Numbers) -> NDArray[np.bool_]:
    """Say which blocks meet others that count in the opposite sense, to the right or below."""
    framed = np.pad(orientation, ((0, 1), (0, 1)), mode="edge")
    four = np.stack([framed[:-1, :-1], framed[:-1, 1:], framed[1:, :-1], framed[1:, 1:]])
    return np.asarray(2 * (four.max(axis=0) - four.min(axis=0)) > c.N_ORIENTATIONS)


def _senses(orientation: Numbers) -> Corners:
    """Return −1 for corners whose sense across the ridges is opposite to that of the first corner."""
    apart = np.abs(orientation - orientation[:, :1])
    return np.where(2 * apart > c.N_ORIENTATIONS, np.float32(-1.0), np.float32(1.0))


def _turns(even: Corners, odd: Corners) -> NDArray[np.int64]:
    """Count the turns of the phase around loops: steps over the negative real axis; shape (n,)."""
    next_even, next_odd = np.roll(even, -1, axis=1), np.roll(odd, -1, axis=1)
    forwards = even * next_odd > odd * next_even
    above, next_above = odd >= 0.0, next_odd >= 0.0
    steps = (above & ~next_above & forwards).astype(np.int64) - (~above & next_above & ~forwards)
    return np.asarray(steps.sum(axis=1))


def _zero(even: Corners, odd: Corners) -> NDArray[np.float32]:
    """Return where both parts vanish, by planes through four corners; (n, 2) within the loop."""
    even_x, even_y, even_0 = _plane(even)
    odd_x, odd_y, odd_0 = _plane(odd)
    determinant = even_x * odd_y - even_y * odd_x
    safe = np.where(np.abs(determinant) > 1e-12, determinant, np.inf).astype(np.float32)
    x = (even_y * odd_0 - odd_y * even_0) / safe
    y = (odd_x * even_0 - even_x * odd_0) / safe
    return np.asarray(np.clip(np.stack([x, y], axis=1), -0.5, 0.5) + 0.5, np.float32)


def _plane(corners: Corners) -> tuple[Corners, Corners, Corners]:
    """Fit slopes and mean to values at the corners of a loop."""
    a, b, d, e = corners.T
    return (b + d - a - e) / 2, (d + e - a - b) / 2, (a + b + d + e) / 4
