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
from ml.runtime.face.pose import MOST_ASIDE, HeadPose

WEIGHTS: Final[Mapping[str, float]] = {
    "certainty": 0.86,
    "framing": 0.40,
    "sharpness": 0.236,
    "light": 0.061,
    "size": 0.046,
}
OFFSET: Final = -0.638
_CROP: Final = AlignmentTemplate(
    112, np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]])
)
_GRID: Final = np.array([(x, y, 1.0) for y in range(4, 112, 8) for x in range(4, 112, 8)])
_INNER: Final = (slice(20, 106), slice(24, 88))
"""Brows to chin: without hair, ears and background."""
_SHARPNESS: Final = (-4.2, -2.2)
"""Above the upper end a face is no better: the rest is noise, or a picture that was sharpened."""
_SIZE: Final = (3.5, 5.2)
"""log2 of the pixels between the eyes; more of them than 37 say no more."""
_LEAST_DOUBT: Final = 0.04
"""One less the detector's score, below which differences say nothing."""


def quality_parts(picture: Picture, face: DetectedFace) -> dict[str, float]:
    """Measure what makes a face good for comparison, each from 0 to 1.

    Args:
        picture: That shows it.
        face: Where it lies.

    Returns:
        `certainty` of the detector, `framing` (how much of the crop lies within the picture), `sharpness`,
        `light` (how much is neither black nor white), `size`, and `frontal`, which only tells and does not
        count.
    """
    reduction = reduction_to(face.eye_distance, _CROP.eye_distance)
    crop = aligned_crop(picture.reduced(reduction), face.scaled(1.0 / reduction).landmarks, _CROP)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY))
    doubt = float(np.clip(1.0 - face.score, _LEAST_DOUBT, 1.0))
    return {
        "certainty": float(np.log(doubt) / np.log(_LEAST_DOUBT)),
        "framing": _framing(picture, face),
        "sharpness": _within(sharpness(grey), _SHARPNESS),
        "light": float(np.mean((grey[_INNER] > 4) & (grey[_INNER] < 251))),
        "size": _within(float(np.log2(face.eye_distance)), _SIZE),
        "frontal": _within(-abs(HeadPose.of(face.landmarks).aside), (-MOST_ASIDE, 0.0)),
    }


def face_quality(parts: Mapping[str, float]) -> float:
    """Predict how well a face compares, by its parts; 0 to 1."""
    return float(np.clip(OFFSET + sum(weight * parts[name] for name, weight in WEIGHTS.items()), 0.0, 1.0))


def _within(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the logarithm of a crop's finest detail over its contrast.

    Args:
        grey: uint8, shape (112, 112).
    """
    smoothed = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.7)  # Noise of single pixels is no detail.
    detail = float(np.std(cv2.Laplacian(smoothed, cv2.CV_32F)[_INNER]))
    return float(np.log((detail + 0.2) / (float(np.std(grey[_INNER])) + 5.0)))


def _framing(picture: Picture, face: DetectedFace) -> float:
    """The share of the crop that lies within the picture, on a grid of 14×14 points."""
    back = cv2.invertAffineTransform(similarity_transform(face.landmarks, _CROP.points))
    points = _GRID @ back.T  # (196, 2)
    outside = (points < -0.5) | (points > (picture.width - 0.5, picture.height - 0.5))
    return 1.0 - float(np.mean(outside.any(axis=1)))
