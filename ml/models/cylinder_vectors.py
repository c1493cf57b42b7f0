"""Cylinders of a fingerprint → unit vectors of its parts, and one vector of the whole.

A part is one cylinder on its principal axes. The whole is a VLAD: how far cylinders lie from the code words
that they are nearest to, summed, on discriminant axes. It is made by linear algebra only; there is no network
to train.

Source:
    Jégou, Douze, Schmid and Pérez, 2010, Aggregating local descriptors into a compact image representation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TINY: Final = 1e-6
WORD_FLOOR: Final = 1e-3
"""Keeps code words with hardly any cylinder from counting as much as the others."""


@dataclass(frozen=True)
class CylinderAxes:
    """What is fitted.

    Args:
        mean: Of the square roots of fillings, shape (cells,).
        local: Scaled principal axes, shape (cells, l).
        words: Code words on the unit sphere of local vectors, shape (k, l).
        sharpness: How much nearer a word has to be to get the whole cylinder.
        center: Mean VLAD, shape (k · l,).
        whole: Discriminant axes, shape (k · l, d).
    """

    mean: FloatArray
    local: FloatArray
    words: FloatArray
    sharpness: float
    center: FloatArray
    whole: FloatArray

    def local_vectors(self, fillings: NDArray[np.floating]) -> FloatArray:
        """Return the unit vector of every cylinder; (n, cells) → (n, l)."""
        return unit((np.sqrt(fillings) - self.mean) @ self.local)

    def vector(self, fillings: NDArray[np.floating]) -> FloatArray:
        """Return the unit vector of an impression; (n, cells) → (d,)."""
        return unit(
            (vlad(self.local_vectors(fillings), self.words, self.sharpness) - self.center) @ self.whole
        )


def vlad(local: FloatArray, words: FloatArray, sharpness: float) -> FloatArray:
    """Sum how local vectors differ from their words; (n, l) and (k, l) → unit vector (k · l,)."""
    likeness = sharpness * (local @ words.T)
    share = np.exp(likeness - likeness.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    differences = share.T @ local - share.sum(axis=0)[:, None] * words  # (k, l)
    differences /= np.linalg.norm(differences, axis=1, keepdims=True) + WORD_FLOOR
    flat = differences.ravel()
    return unit(np.sign(flat) * np.sqrt(np.abs(flat)))


def unit(vectors: FloatArray) -> FloatArray:
    """Scale to unit norm along the last axis; what is zero stays near zero."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + TINY))
