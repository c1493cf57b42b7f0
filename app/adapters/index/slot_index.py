"""What the exact and the FAISS index have in common: keys, locks, checks, order. They differ in storage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from app.adapters.index.read_write_lock import ReadWriteLock
from app.adapters.index.slots import Slots
from app.domain import ports
from app.domain.ports import IndexKey, IntArray
from app.domain.references import Vector

_NO_IDS = np.empty(0, np.int64)
_NO_SCORES = np.empty(0, np.float32)


class VectorStorage(ABC):
    """Contiguous rows of one key."""

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    @abstractmethod
    def matrix(self) -> Vector:
        """The full rows as they lie in memory, float32, shape (n, size); valid until the next change."""

    @abstractmethod
    def append(self, vectors: Vector) -> None: ...

    @abstractmethod
    def truncate(self, n_left: int) -> None:
        """Forget the rows from ``n_left`` on and overwrite them: erased templates do not linger."""

    @abstractmethod
    def best_rows(self, vector: Vector, k: int) -> tuple[IntArray, Vector]:
        """At least the rows of the k best scores and all that tie with the k-th, and their scores."""


class _Shelf:
    """One key: storage and who is where."""

    def __init__(self, storage: VectorStorage) -> None:
        self.storage = storage
        self.slots = Slots()


class SlotIndex(ports.TemplateIndex):
    """The port, over any storage of contiguous rows."""

    def __init__(self, new_storage: Callable[[int], VectorStorage]) -> None:
        self._new_storage = new_storage
        self._shelves: dict[IndexKey, _Shelf] = {}
        self._lock = ReadWriteLock()

    def upsert(self, key: IndexKey, ids: IntArray, vectors: Vector) -> None:
        ids = np.asarray(ids, np.int64)
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.ndim != 2 or ids.shape != vectors.shape[:1]:
            raise ValueError(f"{ids.shape} ids do not fit vectors of shape {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("vectors must be finite")
        if not len(ids):
            return
        with self._lock.writing():
            shelf = self._shelves.get(key)
            if shelf is None:
                shelf = _Shelf(self._new_storage(vectors.shape[1]))
            _check_size(vectors, shelf)
            placement = shelf.slots.place(ids)
            shelf.storage.matrix[placement.taken] = vectors[placement.sources_taken]
            if placement.n_appended:
                shelf.storage.append(vectors[placement.sources_appended])
            self._shelves[key] = shelf

    def remove(self, key: IndexKey, ids: IntArray) -> None:
        with self._lock.writing():
            shelf = self._shelves.get(key)
            if shelf is None:
                return
            removal = shelf.slots.remove(np.asarray(ids, np.int64))
            if not removal.n_left:
                del self._shelves[key]
                return
            shelf.storage.matrix[removal.holes] = shelf.storage.matrix[removal.movers]
            shelf.storage.truncate(removal.n_left)

    def drop(self, key: IndexKey) -> None:
        with self._lock.writing():
            self._shelves.pop(key, None)

    def keys(self) -> Sequence[IndexKey]:
        with self._lock.reading():
            return list(self._shelves)

    def count(self, key: IndexKey) -> int:
        with self._lock.reading():
            shelf = self._shelves.get(key)
            return 0 if shelf is None else len(shelf.slots)

    def score_all(self, key: IndexKey, vector: Vector) -> tuple[IntArray, Vector]:
        with self._lock.reading():
            shelf = self._shelves.get(key)
            probe = _probe(vector, shelf)
            if shelf is None:
                return _NO_IDS, _NO_SCORES
            order = shelf.slots.sorted()
            scores = shelf.storage.matrix @ probe
            return order.ids, scores if order.rows is None else scores[order.rows]

    def search(
        self, key: IndexKey, vector: Vector, k: int, among: IntArray | None = None
    ) -> tuple[IntArray, Vector]:
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        with self._lock.reading():
            shelf = self._shelves.get(key)
            probe = _probe(vector, shelf)
            if shelf is None:
                return _NO_IDS, _NO_SCORES
            if among is not None:
                ids, rows = shelf.slots.known(np.asarray(among, np.int64))
                scores = shelf.storage.matrix[rows] @ probe
            else:
                rows, scores = shelf.storage.best_rows(probe, min(k, len(shelf.slots)))
                ids = shelf.slots.ids_at(rows)
        best = np.lexsort((ids, -scores))[:k]
        return ids[best], scores[best]

    def vectors(self, key: IndexKey, ids: IntArray) -> Vector:
        with self._lock.reading():
            shelf = self._shelves.get(key)
            if shelf is None:
                raise KeyError(key)
            found: Vector = shelf.storage.matrix[shelf.slots.rows(np.asarray(ids, np.int64))]
            return found


def _probe(vector: Vector, shelf: _Shelf | None) -> Vector:
    probe = np.ascontiguousarray(vector, np.float32)
    if probe.ndim != 1:
        raise ValueError(f"a probe is one vector, not shape {probe.shape}")
    if not np.isfinite(probe).all():
        raise ValueError("vectors must be finite")
    if shelf is not None:
        _check_size(probe, shelf)
    return probe


def _check_size(vectors: Vector, shelf: _Shelf) -> None:
    if vectors.shape[-1] != shelf.storage.size:
        raise ValueError(f"this key holds vectors of size {shelf.storage.size}, not {vectors.shape[-1]}")
