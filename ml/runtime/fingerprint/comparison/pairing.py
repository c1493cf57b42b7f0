"""Which minutiae may be the same: the best pairs, each minutia in one at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.places import at_places

MOST_PAIRS: Final = 48
_ROUNDS = 4


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """The best pairs of minutiae of every pair of templates, the most alike first.

    Args:
        first, second: Their places; int64, shape (n_pairs, MOST_PAIRS).
        similarity: float64, same shape; 0 where there is no further pair.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float64]

    def rows(self, kept: NDArray[np.bool_]) -> Pairs:
        """Return those of some of the pairs of templates; bool, shape (n_pairs,)."""
        return Pairs(self.first[kept], self.second[kept], self.similarity[kept])


def best_pairs(similarity: NDArray[np.float32]) -> Pairs:
    """Pair minutiae greedily: the most alike first, each in one pair at most.

    Every pair that is the best of its row and of its column is one that the greedy order would take. So whole
    rounds of them are taken at once.

    Args:
        similarity: 0 where no pair may be; float32, shape (n_pairs, m_a, m_b).
    """
    rows, m_a, m_b = similarity.shape
    left = similarity.copy()
    second = np.zeros((rows, max(m_a, MOST_PAIRS)), np.int64)
    found = np.zeros(second.shape, np.float32)
    if not m_a or not m_b:
        return _strongest(second, found)
    batch, place = np.arange(rows)[:, None], np.arange(m_a)
    for _ in range(_ROUNDS):
        of_row = left.argmax(axis=2)  # (rows, m_a)
        of_column = left.argmax(axis=1)  # (rows, m_b)
        value = left[batch, place, of_row]
        taken = (value > 0.0) & (at_places(of_column, of_row) == place)
        if not taken.any():
            break
        where, which = np.nonzero(taken)
        other = of_row[where, which]
        second[where, which], found[where, which] = other, value[where, which]
        left[where, which, :] = 0.0
        left[where, :, other] = 0.0
    return _strongest(second, found)


def _strongest(second: NDArray[np.int64], found: NDArray[np.float32]) -> Pairs:
    first = np.argsort(-found, axis=1, kind="stable")[:, :MOST_PAIRS]
    similarity = at_places(found, first).astype(np.float64)
    held = similarity > 0.0
    return Pairs(np.where(held, first, 0), np.where(held, at_places(second, first), 0), similarity)
