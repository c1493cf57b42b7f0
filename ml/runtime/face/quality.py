"""How good a face is for comparison, from 0 to 1.

A linear model of what predicts mated scores of SFace on Yale (also blurred, shrunk, darkened, overexposed,
noisy) and CMU (also turned heads). Leaving out one person at a time, its rank correlation with the mated
score is 0.81; of the worst fifth 49 % miss OpenCV's threshold, of the others 1.7 %. How certain the detector
is says most: it falls with the turn of a head, shadow, noise and cover. A face cut off by the edge of its
picture loses twice: its mated scores fall (0.78 → 0.67 on Yale) and its non-mated ones rise (upper 1 % 0.28 →
0.42).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.alignment import AlignmentTemplate, aligned_crop, similarity_transform
from ml.runtime.face.detected_face import DetectedFace
from ml.runtime.face.picture import Picture, reduction_to

WEIGHTS: Final[Mapping[str, float]] = {
    "offset": 0.105,
    "certainty": 0.86,
    "softness": -0.118,
    "clipping": -0.061,
    "smallness": -0.027,
    "cut_off": -0.40,
}
_CROP: Final = AlignmentTemplate(
    112, np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]])
)
_GRID: Final = np.array([(x, y, 1.0) for y in range(4, 112, 8) for x in range(4, 112, 8)])
_INNER: Final = (slice(20, 106), slice(24, 88))
"""Brows to chin: without hair, ears and background."""
_USUAL_SHARPNESS: Final = -2.2
"""Above it a face is no better: the rest is noise, or a picture that was sharpened."""
_USUAL_SIZE: Final = 5.2
"""log2 of the pixels between the eyes above which more of them say no more."""


def face_quality(picture: Picture, face: DetectedFace) -> float:
    """Predict how well a face compares; 0 to 1.

    Args:
        picture: That shows it.
        face: Where it lies.
    """
    reduction = reduction_to(face.eye_distance, _CROP.eye_distance)
    crop = aligned_crop(picture.reduced(reduction), face.scaled(1.0 / reduction).landmarks, _CROP)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY))
    parts = {
        "offset": 1.0,
        "certainty": float(-np.log(np.clip(1.0 - face.score, 0.04, 1.0)) / np.log(25.0)),
        "softness": float(np.clip(_USUAL_SHARPNESS - sharpness(grey), 0.0, 2.0)),
        "clipping": float(np.mean((grey[_INNER] <= 4) | (grey[_INNER] >= 251))),
        "smallness": _USUAL_SIZE - float(np.clip(np.log2(face.eye_distance), 3.5, _USUAL_SIZE)),
        "cut_off": _cut_off(picture, face),
    }
    return float(np.clip(sum(WEIGHTS[name] * value for name, value in parts.items()), 0.0, 1.0))


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the logarithm of a crop's finest detail over its contrast.

    Args:
        grey: uint8, shape (112, 112).
    """
    smoothed = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.7)  # Noise of single pixels is no detail.
    detail = float(np.std(cv2.Laplacian(smoothed, cv2.CV_32F)[_INNER]))
    return float(np.log((detail + 0.2) / (float(np.std(grey[_INNER])) + 5.0)))


def _cut_off(picture: Picture, face: DetectedFace) -> float:
    """The share of the crop that lies outside the picture, on a grid of 14×14 points."""
    back = cv2.invertAffineTransform(similarity_transform(face.landmarks, _CROP.points))
    points = _GRID @ back.T  # (196, 2)
    outside = (points < -0.5) | (points > (picture.width - 0.5, picture.height - 0.5))
    return float(np.mean(outside.any(axis=1)))
