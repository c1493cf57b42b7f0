"""Pairs of templates, stacked so that one array operation serves many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.cylinders import CELLS, WORDS
from ml.runtime.fingerprint.comparison.template import DIRECTIONS, FingerprintTemplate

FloatArray = NDArray[np.float64]
TemplatePair = tuple[FingerprintTemplate, FingerprintTemplate]

FAR_FIRST: Final = 2.0**20
FAR_SECOND: Final = 2.0**22
"""Where padding lies: near no minutia and, however the first side is turned, not near the other's padding."""


@dataclass(frozen=True, eq=False, repr=False)
class Side:
    """One side of every pair, padded to the largest. What follows computes on whole numbers, or on numbers
    of one pair only, so that neither padding nor neighbors change a result.

    Args:
        x, y: Half pixels; float64, shape (n_pairs, n). Padding is far away.
        direction: Radians; float64, shape (n_pairs, n).
        count, n_cylinders: Per pair; int64, shape (n_pairs,).
        bits: uint64, shape (n_pairs, WORDS, m).
        cells: uint64, shape (n_pairs, m).
        turns: The direction, a whole turn being 256; uint8, shape (n_pairs, n).
    """

    x: FloatArray
    y: FloatArray
    direction: FloatArray
    count: NDArray[np.int64]
    n_cylinders: NDArray[np.int64]
    bits: NDArray[np.uint64]
    cells: NDArray[np.uint64]
    turns: NDArray[np.uint8]

    def rows(self, kept: NDArray[np.bool_]) -> Side:
        """Return some of the pairs; bool, shape (n_pairs,)."""
        return Side(
            x=self.x[kept],
            y=self.y[kept],
            direction=self.direction[kept],
            count=self.count[kept],
            n_cylinders=self.n_cylinders[kept],
            bits=self.bits[kept],
            cells=self.cells[kept],
            turns=self.turns[kept],
        )

    @cached_property
    def facing(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cosine and sine of the directions; float32, shape (n_pairs, n) each."""
        return np.cos(self.direction).astype(np.float32), np.sin(self.direction).astype(np.float32)

    def bits_per_cell(self) -> NDArray[np.float32]:
        """How many bits each cell has; float32, shape (n_pairs, m, CELLS)."""
        flags = np.unpackbits(self.bits.view(np.uint8), axis=-1, bitorder="little")
        counted = flags.reshape(*self.bits.shape, CELLS).sum(axis=1, dtype=np.uint8)
        return np.asarray(counted, dtype=np.float32)

    def cell_flags(self) -> NDArray[np.float32]:
        """Which cells lie on the finger; float32, shape (n_pairs, m, CELLS)."""
        flags = np.unpackbits(self.cells.view(np.uint8), axis=-1, bitorder="little")
        return flags.reshape(*self.cells.shape, CELLS).astype(np.float32)


def stacked(pairs: Sequence[TemplatePair]) -> tuple[Side, Side]:
    """Put every pair into one order, whichever way round it came, and stack the two sides."""
    ordered = [pair if pair[0].key <= pair[1].key else pair[::-1] for pair in pairs]
    first, second = [one for one, _ in ordered], [one for _, one in ordered]
    return _side(first, FAR_FIRST), _side(second, FAR_SECOND)


def _side(templates: Sequence[FingerprintTemplate], far: float) -> Side:
    rows = len(templates)
    n = max(len(one) for one in templates)
    m = max(one.n_cylinders for one in templates)
    x, y = np.full((rows, n), far), np.full((rows, n), far)
    turns = np.zeros((rows, n), np.uint8)
    bits = np.zeros((rows, WORDS, m), np.uint64)
    cells = np.zeros((rows, m), np.uint64)
    for row, one in enumerate(templates):
        x[row, : len(one)], y[row, : len(one)], turns[row, : len(one)] = one.x, one.y, one.turns
        bits[row, :, : one.n_cylinders] = one.bits.T
        cells[row, : one.n_cylinders] = one.cells
    count = np.array([len(one) for one in templates])
    n_cylinders = np.array([one.n_cylinders for one in templates])
    direction = turns.astype(np.float64) * (2.0 * np.pi / DIRECTIONS)
    return Side(x, y, direction, count, n_cylinders, bits, cells, turns)
