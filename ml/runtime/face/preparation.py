"""Kind `face`: picture → one face → the aligned crop that an embedding network reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.bundle import DETECTOR_FILE
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES, Evidence
from ml.runtime.face import detector, finding, pose, quality
from ml.runtime.face.alignment import aligned_crop
from ml.runtime.face.detected_face import DetectedFace
from ml.runtime.face.detector import FaceDetector
from ml.runtime.face.drawn_face import drawn_face_file
from ml.runtime.face.encoder_input import EncoderInput
from ml.runtime.face.errors import FaceTooSmallError
from ml.runtime.face.facts import FaceFacts
from ml.runtime.face.finding import find_face
from ml.runtime.face.picture import Picture, reduction_to
from ml.runtime.face.pose import HeadPose
from ml.runtime.face.quality import face_quality, quality_parts
from ml.runtime.face.raw_face import FaceCapture, RawFace
from ml.runtime.preparation import FIXED, FREE, Constants, Preparation, Prepared

MIN_EYE_DISTANCE: Final = 12.0
"""Pixels; below it a face has too little detail to tell people apart."""


class FacePreparation(Preparation[FaceCapture]):
    """Aligned crops for a network `image` (n, 3, size, size) → `vector` (n, d).

    It holds a network of its own: where the face lies decides what of the picture the encoder sees.
    """

    modality = "face"
    unit = IMAGES

    def __init__(self, wanted: EncoderInput, face_detector: FaceDetector) -> None:
        """Take what the encoder wants, and what finds faces."""
        size = wanted.template.size
        self._wanted, self._detector = wanted, face_detector
        self.reads = {"image": (FREE, 3, size, size)}
        self.gives = {"vector": (FREE, FIXED)}

    @classmethod
    def from_dict(cls, preprocessing: Mapping[str, Any]) -> FacePreparation:
        """Refuse: `opened` reads it, since nothing is found without the detector.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"preprocessing of {sorted(preprocessing)}: a face bundle needs its {DETECTOR_FILE}")

    @classmethod
    def opened(cls, preprocessing: Mapping[str, Any], files: Mapping[str, bytes]) -> FacePreparation:
        """See `Preparation.opened`."""
        if DETECTOR_FILE not in files:
            return cls.from_dict(preprocessing)
        return cls(EncoderInput.from_dict(preprocessing), FaceDetector(files[DETECTOR_FILE]))

    @classmethod
    def constants(cls) -> Constants:
        """See `Preparation.constants`."""
        return {
            "passes": [asdict(look) for look in finding.PASSES],
            "rival_size": finding.RIVAL_SIZE,
            "max_overlap": detector.MAX_OVERLAP,
            "min_eye_distance": MIN_EYE_DISTANCE,
            "most_aside": pose.MOST_ASIDE,
            "nose_heights": pose.NOSE_HEIGHTS,
            "quality": {"offset": quality.OFFSET, **quality.WEIGHTS},
        }

    def prepare(self, capture: FaceCapture) -> Prepared:
        """See `Preparation.prepare`.

        Raises:
            FaceError: Not one usable face.
            ImageError: Not a picture.
        """
        picture = Picture(capture.image)
        face = find_face(picture, self._detector)
        HeadPose.of(face.landmarks).require_frontal()
        _require_size(face)
        facts = _facts(picture, face)
        return Prepared(
            inputs={"image": self._wanted.of(self._crop(picture, face))},
            evidence=Evidence(1.0, IMAGES, face_quality(facts.quality_parts)),
            facts=facts,
        )

    def examine(self, capture: FaceCapture) -> FaceFacts | None:
        """Return where the face lies, also one that is refused; None where none or several are found."""
        try:
            picture = Picture(capture.image)
            face = find_face(picture, self._detector)
        except CaptureError:
            return None
        return _facts(picture, face)

    def example(self) -> RawFace:
        """See `Preparation.example`."""
        return RawFace(drawn_face_file())

    def _crop(self, picture: Picture, face: DetectedFace) -> NDArray[np.uint8]:
        """Cut the face out of the smallest decoding that still has a pixel for each of the crop.

        Shrinking by more than two at once would skip pixels, and the decoder averages them for nothing.
        """
        template = self._wanted.template
        reduction = reduction_to(face.eye_distance, template.eye_distance)
        return aligned_crop(picture.reduced(reduction), face.scaled(1.0 / reduction).landmarks, template)


def _require_size(face: DetectedFace) -> None:
    if face.eye_distance < MIN_EYE_DISTANCE:
        raise FaceTooSmallError(
            f"expected eyes at least {MIN_EYE_DISTANCE:g} pixels apart, found {face.eye_distance:.1f}"
        )


def _facts(picture: Picture, face: DetectedFace) -> FaceFacts:
    return FaceFacts(face, (picture.width, picture.height), quality_parts(picture, face))
