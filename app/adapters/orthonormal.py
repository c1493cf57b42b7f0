"""Secret random rotations: what makes a template of one gallery useless in another (DESIGN §7)."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray


def random_orthonormal(size: int) -> NDArray[np.float64]:
    """An orthonormal matrix drawn uniformly (Haar) with the operating system's randomness.

    Returns:
        float64, shape (size, size). Store the matrix, not a seed: LAPACKs differ in the last bits.

    Source:
        F. Mezzadri, How to generate random matrices from the classical compact groups, Notices of the AMS
        54 (2007), §5: QR alone is not uniform; multiply each column by the sign of R's diagonal.
    """
    q, r = np.linalg.qr(_secret_normals(size * size).reshape(size, size))
    signs = np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return np.asarray(q * signs, np.float64)


def _secret_normals(count: int) -> NDArray[np.float64]:
    """Standard normals by Box and Muller, straight from os.urandom: no generator state to guess."""
    words = np.frombuffer(os.urandom(16 * count), np.uint64).reshape(2, count)
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # In (0, 1), both ends open.
    normals: NDArray[np.float64] = np.sqrt(-2.0 * np.log(uniform[0])) * np.cos(2.0 * np.pi * uniform[1])
    return normals
