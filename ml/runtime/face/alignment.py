"""From a face in a picture to the crop that an encoder was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.detected_face import LEFT_EYE, RIGHT_EYE

FloatArray = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_POINTS: Final = 5


@dataclass(frozen=True, eq=False)
class AlignmentTemplate:
    """Where an encoder wants the five landmarks.

    Args:
        size: Side of the square crop, pixels.
        points: As the landmarks of `DetectedFace`; float64, shape (5, 2).

    Raises:
        ValueError: Not five points within the crop.
    """

    size: int
    points: FloatArray

    def __post_init__(self) -> None:
        inside = self.points.shape == (_POINTS, 2) and bool(
            np.all((self.points > 0.0) & (self.points < self.size))
        )
        if not inside:
            raise ValueError(f"expected five points within {self.size} pixels, found {self.points.tolist()}")

    @property
    def eye_distance(self) -> float:
        """Between the eyes, pixels."""
        return float(np.linalg.norm(self.points[LEFT_EYE] - self.points[RIGHT_EYE]))


def similarity_transform(source: FloatArray, target: FloatArray) -> FloatArray:
    """Return the rotation, scale and shift that bring points nearest to others; float64, shape (2, 3).

    Args:
        source, target: float64, shape (n, 2).

    Source:
        Umeyama, IEEE TPAMI 13(4), 1991. Written in complex numbers, where a similarity is z ↦ a·z + b.
    """
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    spread = z - z.mean()
    a = np.vdot(spread, w - w.mean()) / np.vdot(spread, spread).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def aligned_crop(pixels: Pixels, landmarks: FloatArray, template: AlignmentTemplate) -> Pixels:
    """Cut out a face so that its landmarks lie on the template.

    Args:
        pixels: uint8, shape (height, width, 3).
        landmarks: In these pixels, shape (5, 2).
        template: Of the encoder.

    Returns:
        uint8, shape (size, size, 3), channels as given. What lies outside the picture repeats its edge: black
        would be a contour, and a mirror image a second face.
    """
    transform = similarity_transform(landmarks, template.points)
    size = (template.size, template.size)
    return np.asarray(
        cv2.warpAffine(pixels, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )
