"""Pairs of templates, stacked so that one array operation serves many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.cylinders import CELLS, WORDS
from ml.runtime.fingerprint.comparison.template import DIRECTIONS, FingerprintTemplate

FloatArray = NDArray[np.float64]
TemplatePair = tuple[FingerprintTemplate, FingerprintTemplate]


@dataclass(frozen=True, eq=False, repr=False)
class Side:
    """One side of every pair, padded to the largest. What follows computes on whole numbers, or on numbers
    of one pair only, so that neither padding nor neighbors change a result.

    Args:
        x, y: Half pixels; float64, shape (n_pairs, n). Padding is 0.
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

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which places hold a minutia; shape (n_pairs, n)."""
        return np.asarray(np.arange(self.x.shape[1]) < self.count[:, None])

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
    return _side([first for first, _ in ordered]), _side([second for _, second in ordered])


def _side(templates: Sequence[FingerprintTemplate]) -> Side:
    rows = len(templates)
    n = max(len(one) for one in templates)
    m = max(one.n_cylinders for one in templates)
    x, y = np.zeros((rows, n)), np.zeros((rows, n))
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
