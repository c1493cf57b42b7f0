"""The exact index in numpy: nothing to install, and the oracle that others are compared with."""

from __future__ import annotations

import numpy as np

from app.adapters.index.row_index import RowIndex, VectorStorage
from app.domain.arrays import IntArray
from app.domain.references import Vector


class ExactIndex(RowIndex):
    """A search is one matrix–vector product per probe vector."""

    def __init__(self) -> None:
        super().__init__(_NumpyStorage)


class _NumpyStorage(VectorStorage):
    """An over-allocated array: appending one row is O(size) on average."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._rows = np.empty((0, size), np.float32)
        self._n = 0

    @property
    def matrix(self) -> Vector:
        return self._rows[: self._n]

    def append(self, vectors: Vector) -> None:
        needed = self._n + len(vectors)
        if needed > len(self._rows):
            grown = np.empty((max(needed, 2 * self._n, 16), self.size), np.float32)
            grown[: self._n] = self.matrix
            self._rows = grown
        self._rows[self._n : needed] = vectors
        self._n = needed

    def truncate(self, n_left: int) -> None:
        self._rows[n_left : self._n] = 0.0
        self._n = n_left

    def best_rows(self, vector: Vector, k: int) -> tuple[IntArray, Vector]:
        scores = self.matrix @ vector
        if k == self._n:
            return np.arange(self._n), scores
        worst = np.partition(scores, self._n - k)[self._n - k]
        rows = np.flatnonzero(scores >= worst)
        return rows, scores[rows]
