"""Kind `face-lbp`: local binary patterns of a picture that is a face already.

It needs no weights and no detector, and is weak: it serves tests, and demonstrations that say so. Its bundle
compares one to one only.

Source: Ahonen, Hadid and Pietikäinen, "Face Description with Local Binary Patterns", IEEE TPAMI 28(12), 2006.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.evidence import IMAGES, Evidence
from ml.runtime.face.drawn_face import drawn_face_file
from ml.runtime.face.picture import Picture, reduction_to
from ml.runtime.face.raw_face import FaceCapture, RawFace
from ml.runtime.preparation import FIXED, FREE, Constants, Preparation, Prepared

SIDE: Final = 112
CELLS: Final = 7
PATTERNS: Final = 59
"""Uniform patterns of eight neighbors, 58 of them, and all others together."""
USUAL_QUALITY: Final = 0.5
_NEIGHBORS: Final = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


class LbpPreparation(Preparation[FaceCapture]):
    """Histograms for a network `histograms` (n, 7·7·59) → `vector` (n, d)."""

    modality = "face"
    unit = IMAGES
    reads: Mapping[str, tuple[int | str, ...]] = {"histograms": (FREE, CELLS * CELLS * PATTERNS)}
    gives: Mapping[str, tuple[int | str, ...]] = {"vector": (FREE, FIXED)}

    @classmethod
    def from_dict(cls, preprocessing: Mapping[str, Any]) -> LbpPreparation:
        """See `Preparation.from_dict`; it has no parameters."""
        if preprocessing:
            raise ValueError(f"preprocessing: unknown {sorted(preprocessing)}")
        return cls()

    @classmethod
    def constants(cls) -> Constants:
        """See `Preparation.constants`."""
        return {"side": SIDE, "cells": CELLS, "patterns": PATTERNS}

    def prepare(self, capture: FaceCapture) -> Prepared:
        """See `Preparation.prepare`."""
        picture = Picture(capture.image)
        pixels = picture.reduced(reduction_to(picture.long_side, SIDE))
        grey = cv2.resize(
            cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA
        )
        return Prepared(
            inputs={"histograms": pattern_histograms(np.asarray(grey))[None]},
            evidence=Evidence(1.0, IMAGES, USUAL_QUALITY),
        )

    def example(self) -> RawFace:
        """See `Preparation.example`."""
        return RawFace(drawn_face_file())


def pattern_histograms(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Count the patterns in each cell of a grid.

    Args:
        grey: uint8, shape (side, side), a multiple of the cells and a border of one pixel aside.

    Returns:
        Shares within each cell, float32, shape (cells·cells·patterns,).
    """
    wide = grey.astype(np.int16)
    center = wide[1:-1, 1:-1]
    codes = np.zeros(center.shape, dtype=np.uint8)
    for bit, (down, right) in enumerate(_NEIGHBORS):
        neighbor = wide[1 + down : wide.shape[0] - 1 + down, 1 + right : wide.shape[1] - 1 + right]
        codes |= (neighbor >= center).astype(np.uint8) << bit
    patterns = _uniform_patterns()[codes]
    rows, columns = (np.arange(size) * CELLS // size for size in patterns.shape)
    cells = rows[:, None] * CELLS + columns
    counts = np.bincount((cells * PATTERNS + patterns).ravel(), minlength=CELLS * CELLS * PATTERNS)
    shares = counts.reshape(-1, PATTERNS) / np.bincount(cells.ravel())[:, None]
    return shares.ravel().astype(np.float32)


@lru_cache(maxsize=1)
def _uniform_patterns() -> NDArray[np.int64]:
    """The number of every code's pattern: those with at most two changes around the circle have their own."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = np.count_nonzero(bits != np.roll(bits, 1, axis=1), axis=1)
    numbers = np.full(256, PATTERNS - 1, dtype=np.int64)
    numbers[changes <= 2] = np.arange(np.count_nonzero(changes <= 2))
    return numbers
