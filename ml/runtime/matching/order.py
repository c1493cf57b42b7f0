"""Which candidate comes first: the one furthest above its own threshold, then the one of the higher LLR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CandidateOrder:
    """The order of candidates, who may have different thresholds.

    Args:
        margin_db: Score above the own threshold, −inf where nothing was compared; float64, shape (..., n).
        llr_db: Unsoftened scores, which decide where softened ones are equal; same shape.
    """

    margin_db: FloatArray
    llr_db: FloatArray

    def best(self, limit: int) -> IntArray:
        """Return the rows of the best: at least `limit` of them and all that tie with the last, unordered."""
        size = self.margin_db.size
        if limit >= size:
            return np.arange(size)
        cut = np.partition(self.margin_db, size - limit)[size - limit]
        return np.flatnonzero(self.margin_db >= cut)

    def margin_at(self, rank: int) -> float:
        """Return the margin of the candidate at a rank from 1 on; −inf if there are fewer."""
        size = self.margin_db.size
        return float(np.partition(self.margin_db, size - rank)[size - rank]) if rank <= size else -np.inf

    def rows(self, chosen: IntArray) -> CandidateOrder:
        """Return some rows of many searches."""
        return CandidateOrder(self.margin_db[chosen], self.llr_db[chosen])

    def key(self, row: int) -> tuple[float, float]:
        """Return a key to sort by, best first."""
        return -float(self.margin_db[row]), -float(self.llr_db[row])

    def level_or_ahead(self, own: IntArray) -> BoolArray:
        """Return who comes before a candidate of each row, or ties with it.

        Args:
            own: Column of the candidate in each row; the order is of shape (m, n), this of shape (m,).

        Returns:
            Of shape (m, n), false for the candidates themselves.
        """
        at = (np.arange(own.size), own)
        margin_db, llr_db = self.margin_db[at][:, None], self.llr_db[at][:, None]
        level = (self.margin_db == margin_db) & (self.llr_db >= llr_db)
        found: BoolArray = (self.margin_db > margin_db) | level
        found[at] = False
        return found
