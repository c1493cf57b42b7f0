"""Faces whose places are known, and a detector that knows them."""

from __future__ import annotations

import numpy as np

from ml.runtime.face.detected_face import DetectedFace
from ml.runtime.face.detector import FaceDetector

FRONTAL = np.array([[95.0, 102.0], [143.0, 102.0], [120.0, 130.0], [103.0, 160.0], [137.0, 160.0]])
"""Landmarks of `drawn_face`, about: right eye, left eye, nose, corners of the mouth."""


def face_at(landmarks: np.ndarray = FRONTAL, *, score: float = 0.93, height: float = 150.0) -> DetectedFace:
    """A face with these landmarks and a box around them."""
    center = landmarks.mean(axis=0)
    box = np.array([center[0] - 0.4 * height, center[1] - 0.5 * height, 0.8 * height, height])
    return DetectedFace(score, box, np.asarray(landmarks, dtype=np.float64))


class KnownFaces(FaceDetector):
    """Finds what it was told, in the pixels of the canvas, on the canvases it was told of."""

    def __init__(self, *looks: list[DetectedFace]) -> None:
        self._looks = list(looks)
        self.canvases: list[tuple[int, int]] = []

    def detect(self, pixels: np.ndarray, threshold: float) -> list[DetectedFace]:
        self.canvases.append(pixels.shape[:2])
        found = self._looks.pop(0) if self._looks else []
        return [face for face in found if face.score >= threshold]
