"""How alike the surroundings of every two minutiae are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.cylinders import CELLS_IN_CIRCLE, SECTIONS
from ml.runtime.fingerprint.comparison.pair_batch import Side

LEAST_SHARE_OF_COMMON_CELLS: Final = 0.6
MOST_ROTATION_RAD: Final = np.pi / 2.0


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
    apart = np.zeros(common.shape, np.uint16)
    word = np.empty_like(common)
    for section in range(SECTIONS):
        np.bitwise_xor(a.bits[:, section, :, None], b.bits[:, section, None, :], out=word)
        word &= common
        apart += np.bitwise_count(word)
    # Products of whole numbers below 2^24, exact in float32 in whatever order they are added.
    ones_a = a.bits_per_cell() @ b.cell_flags().transpose(0, 2, 1)
    ones_b = a.cell_flags() @ b.bits_per_cell().transpose(0, 2, 1)
    scale = np.sqrt(ones_a) + np.sqrt(ones_b)
    compared = (np.bitwise_count(common) >= least) & (scale > 0.0) & _turned_little(a, b)
    similarity = 1.0 - np.sqrt(apart.astype(np.float32)) / np.where(compared, scale, np.float32(1.0))
    return np.asarray(np.where(compared, similarity, np.float32(0.0)), dtype=np.float32)


def _turned_little(a: Side, b: Side) -> NDArray[np.bool_]:
    m_a, m_b = a.cells.shape[1], b.cells.shape[1]
    off = np.abs(a.direction[:, :m_a, None] - b.direction[:, None, :m_b])
    return np.asarray(np.minimum(off, 2.0 * np.pi - off) <= MOST_ROTATION_RAD)
