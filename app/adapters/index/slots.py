"""Which row of a contiguous matrix holds which id.

Rows 0 … n−1 are always full: a removal moves rows from the end into the holes. So a search is one
matrix–vector product over contiguous memory, and neither adding nor removing one id touches the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.domain.ports import IntArray

_NOTHING = np.empty(0, np.int64)


class Placement(NamedTuple):
    """Where an upsert goes: rows ``taken`` are overwritten, ``n_appended`` follow the last row."""

    sources_taken: IntArray
    taken: IntArray
    sources_appended: IntArray | slice
    n_appended: int


class Removal(NamedTuple):
    """Rows ``movers`` go into ``holes``; afterwards ``n_left`` rows are full."""

    movers: IntArray
    holes: IntArray
    n_left: int


@dataclass(frozen=True)
class SortedIds:
    """Ids ascending and the row of each; ``None`` if that is simply 0, 1, 2 …"""

    ids: IntArray
    rows: IntArray | None


class Slots:
    """Bookkeeping of one key's rows. Callers hold the lock."""

    def __init__(self) -> None:
        self._row_of: dict[int, int] = {}
        self._ids = np.empty(0, np.int64)  # Over-allocated; the first len(self) count.
        self._sorted: SortedIds | None = None

    def __len__(self) -> int:
        return len(self._row_of)

    def place(self, ids: IntArray) -> Placement:
        """Give every id a row; of an id named twice, the last counts."""
        names = ids.tolist()
        last = dict(zip(names, range(len(names)), strict=True))
        known = last.keys() & self._row_of.keys()
        if not known and len(last) == len(names):  # The rebuild: all at once and all new.
            self._append(ids, names)
            return Placement(_NOTHING, _NOTHING, slice(None), len(names))
        fresh = [(name, source) for name, source in last.items() if name not in known]
        placement = Placement(
            sources_taken=np.array([last[name] for name in known], np.int64),
            taken=np.array([self._row_of[name] for name in known], np.int64),
            sources_appended=np.array([source for _, source in fresh], np.int64),
            n_appended=len(fresh),
        )
        if fresh:
            self._append(ids[placement.sources_appended], [name for name, _ in fresh])
        return placement

    def _append(self, ids: IntArray, names: list[int]) -> None:
        n = len(self)
        if n + len(ids) > len(self._ids):
            grown = np.empty(max(n + len(ids), 2 * n, 16), np.int64)
            grown[:n] = self._ids[:n]
            self._ids = grown
        self._ids[n : n + len(ids)] = ids
        self._row_of.update(zip(names, range(n, n + len(names)), strict=True))
        self._sorted = None

    def remove(self, ids: IntArray) -> Removal:
        """Forget ids; unknown ones are ignored."""
        n = len(self)
        gone = [self._row_of.pop(id_) for id_ in ids.tolist() if id_ in self._row_of]
        rows = np.sort(np.array(gone, np.int64))
        n_left = n - len(rows)
        holes = rows[rows < n_left]
        movers = np.setdiff1d(np.arange(n_left, n), rows[rows >= n_left], assume_unique=True)
        self._ids[holes] = self._ids[movers]
        self._row_of.update(zip(self._ids[holes].tolist(), holes.tolist(), strict=True))
        self._sorted = None
        return Removal(movers=movers, holes=holes, n_left=n_left)

    def rows(self, ids: IntArray) -> IntArray:
        """Rows of known ids.

        Raises:
            KeyError: An unknown id.
        """
        return np.array([self._row_of[id_] for id_ in ids.tolist()], np.int64)

    def ids_at(self, rows: IntArray) -> IntArray:
        """Ids in these rows."""
        found: IntArray = self._ids[rows]
        return found

    def known(self, ids: IntArray) -> tuple[IntArray, IntArray]:
        """Those of the ids that are here, ascending, each once; and their rows."""
        everyone = self.sorted()
        wanted = np.unique(ids)
        places = np.searchsorted(everyone.ids, wanted)
        places[places == len(everyone.ids)] = 0
        here = everyone.ids[places] == wanted
        places = places[here]
        return wanted[here], places if everyone.rows is None else everyone.rows[places]

    def sorted(self) -> SortedIds:
        """Ids in ascending order; computed once per change. Readers may do so at the same time."""
        current = self._sorted
        if current is None:
            ids = self._ids[: len(self)]
            if np.all(ids[1:] > ids[:-1]):
                current = SortedIds(_frozen(ids.copy()), None)
            else:
                order = np.argsort(ids, kind="stable")
                current = SortedIds(_frozen(ids[order]), order)
            self._sorted = current
        return current


def _frozen(ids: IntArray) -> IntArray:
    ids.setflags(write=False)
    return ids
