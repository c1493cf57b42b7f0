"""Which row of a contiguous matrix holds which vector of which id.

Rows 0 … n−1 are always full: a removal moves rows from the end into the holes. So a search scans contiguous
memory, and neither adding nor removing one id touches the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from app.domain.arrays import IntArray

_NOTHING = np.empty(0, np.int64)
_Name = int | tuple[int, int]
"""The first vector of an id is named by the id, a further one by id and ordinal."""


class Placement(NamedTuple):
    """Where an upsert goes: rows `taken` are overwritten, `n_appended` follow the last row."""

    sources_taken: IntArray
    taken: IntArray
    sources_appended: IntArray | slice
    n_appended: int


class Removal(NamedTuple):
    """Rows `movers` go into `holes`; afterwards `n_left` rows are full."""

    movers: IntArray
    holes: IntArray
    n_left: int


class Grouped(NamedTuple):
    """Rows in the order of their ids: those of `ids[i]` begin at `order[starts[i]]`."""

    order: IntArray
    starts: IntArray
    ids: IntArray


class Rows:
    """Bookkeeping of one key's rows. Callers hold the lock."""

    def __init__(self) -> None:
        self._row_of: dict[_Name, int] = {}
        self._owners = np.empty(0, np.int64)  # Over-allocated; the first len(self) count.
        self._owned: dict[int, int] = {}  # Of ids that own several vectors: how many.
        self._grouped: Grouped | None = None  # Until the next change.

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def n_ids(self) -> int:
        """Different ids."""
        return len(self._row_of) - sum(self._owned.values()) + len(self._owned)

    @property
    def most_per_id(self) -> int:
        """The largest number of vectors that one id owns."""
        return max(self._owned.values(), default=1)

    def owners(self, rows: IntArray) -> IntArray:
        """Ids in these rows."""
        found: IntArray = self._owners[rows]
        return found

    def grouped(self) -> Grouped:
        """All rows by id; readers may compute the same twice."""
        found = self._grouped
        if found is None:
            owners = self._owners[: len(self)]
            order = np.argsort(owners, kind="stable")
            starts = np.flatnonzero(np.diff(owners[order], prepend=owners.min(initial=0) - 1))
            found = self._grouped = Grouped(order, starts, owners[order[starts]])
        return found

    def of(self, ids: IntArray) -> IntArray:
        """Rows of known ids, id by id.

        Raises:
            KeyError: An unknown id.
        """
        if not self._owned:
            return np.array([self._row_of[id_] for id_ in ids.tolist()], np.int64)
        return np.array([self._row_of[name] for id_ in ids.tolist() for name in self._names(id_)], np.int64)

    def place(self, ids: IntArray) -> Placement:
        """Assign a row to every vector; what an id owned beyond its new vectors has to be removed before."""
        names = self._new_names(ids)
        known = self._row_of.keys() & names
        if not known:  # The rebuild: all at once and all new.
            self._append(ids, names)
            return Placement(_NOTHING, _NOTHING, slice(None), len(names))
        taken = [source for source, name in enumerate(names) if name in known]
        fresh = np.array([source for source, name in enumerate(names) if name not in known], np.int64)
        rows = np.array([self._row_of[names[source]] for source in taken], np.int64)
        self._append(ids[fresh], [names[source] for source in fresh.tolist()])
        return Placement(np.array(taken, np.int64), rows, fresh, len(fresh))

    def remove_surplus(self, ids: IntArray) -> Removal | None:
        """Forget what these ids own beyond the vectors that they are about to get."""
        if not self._owned:
            return None
        coming = Counter(ids.tolist())
        surplus = [
            (id_, ordinal)
            for id_, n in coming.items()
            for ordinal in range(n, self._owned.get(id_, 1))
            if ordinal > 0
        ]
        for id_ in {id_ for id_, _ in surplus}:
            self._note_owned(id_, coming[id_])
        return self._close([self._row_of.pop(name) for name in surplus])

    def remove(self, ids: IntArray) -> Removal:
        """Forget ids; unknown ones are ignored."""
        gone = [
            self._row_of.pop(name)
            for id_ in ids.tolist()
            if id_ in self._row_of
            for name in list(self._names(id_))
        ]
        for id_ in ids.tolist():
            self._owned.pop(id_, None)
        return self._close(gone)

    def _names(self, id_: int) -> Iterable[_Name]:
        return [id_, *((id_, ordinal) for ordinal in range(1, self._owned.get(id_, 1)))]

    def _new_names(self, ids: IntArray) -> Sequence[_Name]:
        plain: list[int] = ids.tolist()
        if len(set(plain)) == len(plain):
            return plain
        seen: Counter[int] = Counter()
        names: list[_Name] = []
        for id_ in plain:
            names.append((id_, seen[id_]) if seen[id_] else id_)
            seen[id_] += 1
        for id_, n in seen.items():
            self._note_owned(id_, n)
        return names

    def _note_owned(self, id_: int, n: int) -> None:
        if n > 1:
            self._owned[id_] = n
        else:
            self._owned.pop(id_, None)

    def _append(self, ids: IntArray, names: Sequence[_Name]) -> None:
        self._grouped = None
        n = len(self)
        if n + len(ids) > len(self._owners):
            grown = np.empty(max(n + len(ids), 2 * n, 16), np.int64)
            grown[:n] = self._owners[:n]
            self._owners = grown
        self._owners[n : n + len(ids)] = ids
        self._row_of.update(zip(names, range(n, n + len(names)), strict=True))

    def _close(self, gone: Sequence[int]) -> Removal:
        """Fill the holes with the last rows."""
        self._grouped = None
        n = len(self) + len(gone)
        rows = np.sort(np.array(gone, np.int64))
        n_left = n - len(rows)
        holes = rows[rows < n_left]
        movers = np.setdiff1d(np.arange(n_left, n), rows[rows >= n_left], assume_unique=True)
        if movers.size:
            name_at = self._names_at(movers)
            self._owners[holes] = self._owners[movers]
            self._row_of.update(zip(name_at, holes.tolist(), strict=True))
        return Removal(movers=movers, holes=holes, n_left=n_left)

    def _names_at(self, rows: IntArray) -> list[_Name]:
        """Names of the vectors in these rows."""
        found: list[_Name] = []
        for row, id_ in zip(rows.tolist(), self._owners[rows].tolist(), strict=True):
            found.append(next(name for name in self._names(id_) if self._row_of.get(name) == row))
        return found
