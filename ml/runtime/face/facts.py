"""What a picture shows beside identity: where its face lies, how good it is. No attribute of the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.detected_face import DetectedFace


@dataclass(frozen=True, eq=False, repr=False)
class FaceFacts:
    """Where a face lies in its picture. Biometric data: never logged.

    Args:
        face: As it was found, in pixels of the upright picture.
        size_px: Width and height of the upright picture.
        quality_parts: What its quality is made of, 0 to 1 each, by name.
    """

    face: DetectedFace
    size_px: tuple[int, int]
    quality_parts: Mapping[str, float]

    @property
    def box(self) -> tuple[float, ...]:
        """Left, top, width and height, pixels."""
        return tuple(float(edge) for edge in self.face.box)

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """Right eye, left eye, tip of the nose, right and left corner of the mouth; float32, shape (5, 2)."""
        return self.face.landmarks.astype(np.float32)

    def __repr__(self) -> str:
        return "FaceFacts({}×{})".format(*self.size_px)
