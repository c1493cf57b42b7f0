"""The FAISS index: FAISS stores the vectors and finds the best ones.

A flat scan of 100 000 × 256 numbers takes 5.7 ms on one core, a product in numpy 12.8 ms. An 8-bit scan takes
1.8 ms and needs an exact second look at its best; it waits until galleries are larger.
"""

from __future__ import annotations

import faiss
import numpy as np

from app.adapters.index.row_index import RowIndex, VectorStorage
from app.domain.arrays import IntArray
from app.domain.references import Vector


class FaissIndex(RowIndex):
    """FAISS scans; ids are ours, since FAISS accepts one id twice and removes in linear time."""

    def __init__(self) -> None:
        super().__init__(_FlatStorage)


class _FlatStorage(VectorStorage):
    """Rows of an `IndexFlatIP`."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._flat = faiss.IndexFlatIP(size)

    @property
    def matrix(self) -> Vector:
        n = self._flat.ntotal
        if not n:
            return np.empty((0, self.size), np.float32)
        view: Vector = faiss.rev_swig_ptr(self._flat.get_xb(), n * self.size).reshape(n, self.size)
        return view

    def append(self, vectors: Vector) -> None:
        self._flat.add(vectors)

    def truncate(self, n_left: int) -> None:
        self.matrix[n_left:] = 0.0
        self._flat.codes.resize(n_left * self._flat.code_size)
        self._flat.ntotal = n_left

    def best_rows(self, vector: Vector, k: int) -> tuple[IntArray, Vector]:
        # The number of threads is a property of each calling thread in OpenMP; requests come on many.
        faiss.omp_set_num_threads(1)
        n = self._flat.ntotal
        scores, rows = self._flat.search(vector[np.newaxis], min(k + 1, n))
        if k < n and scores[0, k] == scores[0, k - 1]:
            # FAISS breaks ties as its heap likes; ours go by id, so all that tie have to be seen.
            everyone = self.matrix @ vector
            rows = np.flatnonzero(everyone >= np.partition(everyone, n - k)[n - k])
            return rows, everyone[rows]
        return rows[0].astype(np.int64), scores[0]
