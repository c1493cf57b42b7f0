"""A face as the detector finds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_MOUTH, LEFT_MOUTH = range(5)
"""Rows of the landmarks; right and left are the person's own."""


@dataclass(frozen=True, eq=False, repr=False)
class DetectedFace:
    """One face. Biometric data: never logged.

    Args:
        score: Of the detector, 0 to 1.
        box: Left, top, width and height in pixels, float64, shape (4,).
        landmarks: Right eye, left eye, nose tip, right and left corner of the mouth in pixels, x to the right
            and y downwards; float64, shape (5, 2).
    """

    score: float
    box: FloatArray
    landmarks: FloatArray

    @property
    def eye_distance(self) -> float:
        """Between the centers of the eyes, pixels."""
        return float(np.linalg.norm(self.landmarks[LEFT_EYE] - self.landmarks[RIGHT_EYE]))

    @property
    def height(self) -> float:
        """Of the box, pixels."""
        return float(self.box[3])

    def scaled(self, factor: float, left: float = 0.0, top: float = 0.0) -> DetectedFace:
        """The same face, moved by (−left, −top), then scaled by `factor` as pixels are, by their centers."""
        shift = np.array([left, top])
        moved = (self.landmarks - shift + 0.5) * factor - 0.5
        corner = (self.box[:2] - shift) * factor
        return DetectedFace(self.score, np.concatenate([corner, self.box[2:] * factor]), moved)

    def __repr__(self) -> str:
        return f"DetectedFace(score {self.score:.2f})"
