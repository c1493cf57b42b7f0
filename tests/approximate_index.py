"""An index that finds most of the best and scores them roughly, as engines for millions do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.adapters.index.exact_index import ExactIndex
from app.domain.arrays import IntArray
from app.domain.ports.index import IndexKey, TemplateIndex
from app.domain.references import Vector


class ApproximateIndex(TemplateIndex):
    """Searches disturbed copies of the vectors, and gives the true ones to those who ask by id.

    Args:
        disturbance: Length of what is added to each unit vector, in a random direction.
    """

    def __init__(self, disturbance: float = 0.2) -> None:
        self._disturbance = disturbance
        self._rng = np.random.default_rng(0)
        self._kept, self._searched = ExactIndex(), ExactIndex()

    def upsert(self, key: IndexKey, ids: IntArray, vectors: Vector) -> None:
        self._kept.upsert(key, ids, vectors)
        shape = np.shape(vectors)
        noise = self._rng.standard_normal(shape) / np.sqrt(max(1, shape[-1]))
        self._searched.upsert(key, ids, (vectors + self._disturbance * noise).astype(np.float32))

    def remove(self, key: IndexKey, ids: IntArray) -> None:
        self._kept.remove(key, ids)
        self._searched.remove(key, ids)

    def drop(self, key: IndexKey) -> None:
        self._kept.drop(key)
        self._searched.drop(key)

    def keys(self) -> Sequence[IndexKey]:
        return self._kept.keys()

    def count(self, key: IndexKey) -> int:
        return self._kept.count(key)

    def shortlist(self, key: IndexKey, vectors: Vector, k: int, best: int = 1) -> tuple[IntArray, Vector]:
        return self._searched.shortlist(key, vectors, k, best)

    def vectors(self, key: IndexKey, ids: IntArray) -> Vector:
        return self._kept.vectors(key, ids)
