"""How alike the surroundings of every two minutiae are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.cylinders import CELLS, CELLS_IN_CIRCLE, WORDS
from ml.runtime.fingerprint.comparison.pair_batch import Side
from ml.runtime.fingerprint.comparison.template import DIRECTIONS

LEAST_SHARE_OF_COMMON_CELLS: Final = 0.6
MOST_ROTATION_RAD: Final = np.pi / 2.0

_WORDS_IN_A_BYTE = 255 // CELLS


def local_similarities(a: Side, b: Side) -> NDArray[np.float32]:
    """Compare every cylinder of one side with every one of the other.

    Returns:
        1 − √differing bits / (√bits of one + √bits of the other), counted in cells that both have; 0 where
        too few are common or the directions lie too far apart. float32, shape (n_pairs, m_a, m_b).

    Source:
        Cappelli, Ferrara and Maltoni, 2010, equation 21, in its bit form.
    """
    common = a.cells[:, :, None] & b.cells[:, None, :]
    least = int(LEAST_SHARE_OF_COMMON_CELLS * CELLS_IN_CIRCLE)
    # Products of whole numbers below 2^24, exact in float32 in whatever order they are added.
    ones_a = a.bits_per_cell() @ b.cell_flags().transpose(0, 2, 1)
    ones_b = a.cell_flags() @ b.bits_per_cell().transpose(0, 2, 1)
    apart = ones_a + ones_b - np.float32(2.0) * _common_bits(a, b)
    scale = np.sqrt(ones_a) + np.sqrt(ones_b)
    compared = (np.bitwise_count(common) >= least) & (scale > 0.0) & _turned_little(a, b)
    similarity = np.float32(1.0) - np.sqrt(apart) / np.maximum(scale, np.float32(1.0))
    similarity *= compared
    return np.asarray(similarity)


def _common_bits(a: Side, b: Side) -> NDArray[np.float32]:
    """Count the bits that both cylinders have, which lie in common cells; shape (n_pairs, m_a, m_b)."""
    total = np.zeros((len(a.cells), a.cells.shape[1], b.cells.shape[1]), np.float32)
    for start in range(0, WORDS, _WORDS_IN_A_BYTE):
        some = slice(start, start + _WORDS_IN_A_BYTE)
        both = a.bits[:, some, :, None] & b.bits[:, some, None, :]
        total += np.bitwise_count(both).sum(axis=1, dtype=np.uint8)
    return total


def _turned_little(a: Side, b: Side) -> NDArray[np.bool_]:
    """Bytes wrap around as directions do; bool, shape (n_pairs, m_a, m_b)."""
    m_a, m_b = a.cells.shape[1], b.cells.shape[1]
    off = (a.turns[:, :m_a, None] - b.turns[:, None, :m_b]).view(np.int8)
    most = int(MOST_ROTATION_RAD * DIRECTIONS / (2.0 * np.pi))
    return np.asarray((off >= -most) & (off <= most))
