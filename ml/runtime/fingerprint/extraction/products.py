"""Products of matrices that stay in the calling thread."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

MOST_MULTIPLICATIONS: Final = 250_000
"""OpenBLAS wakes other threads above 2¹⁸. For so little work they cost ten times what they save, and every
request would wake them."""


def product(left: Matrix, right: Matrix, out: Matrix) -> None:
    """Write `left @ right` to `out`, a few rows at a time."""
    rows = max(1, MOST_MULTIPLICATIONS // right.size)
    for start in range(0, len(left), rows):
        np.matmul(left[start : start + rows], right, out=out[start : start + rows])
