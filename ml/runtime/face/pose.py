"""Which way a head looks, by its five landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.detected_face import LEFT_EYE, LEFT_MOUTH, NOSE, RIGHT_EYE, RIGHT_MOUTH
from ml.runtime.face.errors import FaceTurnedAwayError

FloatArray = NDArray[np.float64]

MOST_ASIDE: Final = 1.2
"""Beyond it the mated scores of every encoder meet the non-mated ones (CMU, looking left and right)."""
NOSE_HEIGHTS: Final = (0.40, 0.75)
"""Frontal faces of Yale and CMU lie within 0.45 and 0.65. Looking up is only refused when it is extreme: on
small faces the landmarks do not tell it from looking ahead, which shows in the quality instead."""


@dataclass(frozen=True)
class HeadPose:
    """Direction of a head.

    Args:
        aside: How far the tip of the nose lies from the middle of the eyes, along the line through them and
            in halves of their distance; 0 looks ahead, 1 has the nose in front of an eye.
        nose_height: Where it lies between the eyes (0) and the mouth (1).
    """

    aside: float
    nose_height: float

    @classmethod
    def of(cls, landmarks: FloatArray) -> Self:
        """Measure five landmarks, shape (5, 2); infinite where they do not make a face."""
        eyes = landmarks[LEFT_EYE] - landmarks[RIGHT_EYE]
        distance = float(np.linalg.norm(eyes))
        if distance == 0.0:
            return cls(np.inf, np.inf)
        along = eyes / distance
        down = np.array([-along[1], along[0]])
        middle = (landmarks[LEFT_EYE] + landmarks[RIGHT_EYE]) / 2.0
        nose = landmarks[NOSE] - middle
        mouth = float(((landmarks[RIGHT_MOUTH] + landmarks[LEFT_MOUTH]) / 2.0 - middle) @ down)
        height = float(nose @ down) / mouth if mouth > 0.0 else np.inf
        return cls(2.0 * float(nose @ along) / distance, height)

    def require_frontal(self) -> None:
        """Check that both halves of the face are seen.

        Raises:
            FaceTurnedAwayError: They are not.
        """
        if not abs(self.aside) <= MOST_ASIDE:
            raise FaceTurnedAwayError("the face is seen from the side: look into the camera")
        if not NOSE_HEIGHTS[0] <= self.nose_height <= NOSE_HEIGHTS[1]:
            raise FaceTurnedAwayError("the face is seen from below or above: hold the camera level with it")
