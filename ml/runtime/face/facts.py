"""What a picture shows beside identity: where its face lies. No attribute of the person."""

from __future__ import annotations

from dataclasses import dataclass

from ml.runtime.face.detected_face import DetectedFace


@dataclass(frozen=True, eq=False, repr=False)
class FaceFacts:
    """Where a face lies in its picture. Biometric data: never logged.

    Args:
        face: Box and landmarks in pixels of the upright picture.
        width, height: Of the upright picture, pixels.
    """

    face: DetectedFace
    width: int
    height: int

    def __repr__(self) -> str:
        return f"FaceFacts({self.width}×{self.height})"
