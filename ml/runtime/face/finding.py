"""The one face in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.detected_face import DetectedFace
from ml.runtime.face.detector import FaceDetector
from ml.runtime.face.errors import MultipleFacesError, NoFaceError
from ml.runtime.face.picture import Picture, reduction_to

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class DetectionPass:
    """One look at a picture.

    Args:
        canvas: Side of the square that the detector reads, pixels, a multiple of 32.
        long_side: What the picture's longer side is scaled to; a margin remains around a face that fills it.
        threshold: Smallest score of a face.
    """

    canvas: int
    long_side: int
    threshold: float


PASSES: Final = (DetectionPass(320, 256, 0.5), DetectionPass(640, 512, 0.5), DetectionPass(320, 256, 0.3))
"""The second is for faces that are small in a large picture, the third for faint ones."""
RIVAL_SIZE: Final = 0.5
"""Share of the largest face's height from which a further one is a second; smaller ones stand behind."""


def find_face(picture: Picture, detector: FaceDetector) -> DetectedFace:
    """Find the face of a picture; places are in its pixels.

    Raises:
        NoFaceError: There is none.
        MultipleFacesError: There are several of like size.
    """
    for look in PASSES:
        found = faces_in(picture, detector, look)
        if found:
            return _only(found)
    raise NoFaceError("no face was found in the picture")


def faces_in(picture: Picture, detector: FaceDetector, look: DetectionPass) -> list[DetectedFace]:
    """Return the faces that one look finds, the most certain first."""
    reduced = picture.reduced(reduction_to(picture.long_side, look.long_side))
    height, width = reduced.shape[:2]
    factor = look.long_side / max(height, width)
    scaled = _resized(reduced, factor)
    top, left = ((look.canvas - side) // 2 for side in scaled.shape[:2])
    canvas = cv2.copyMakeBorder(
        scaled,
        top,
        look.canvas - scaled.shape[0] - top,
        left,
        look.canvas - scaled.shape[1] - left,
        cv2.BORDER_REPLICATE,
    )
    whole = picture.long_side / look.long_side
    return [face.scaled(whole, left, top) for face in detector.detect(np.asarray(canvas), look.threshold)]


def _resized(pixels: Pixels, factor: float) -> Pixels:
    height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
    way = cv2.INTER_CUBIC if factor > 1.0 else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=way))


def _only(faces: list[DetectedFace]) -> DetectedFace:
    largest = max(faces, key=lambda face: face.height)
    rivals = sum(face.height >= RIVAL_SIZE * largest.height for face in faces)
    if rivals > 1:
        raise MultipleFacesError(f"expected one face, found {rivals}")
    return largest
