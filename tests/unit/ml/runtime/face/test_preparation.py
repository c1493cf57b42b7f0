"""Kind `face`: what a picture is refused for, and what the network reads."""

import cv2
import numpy as np
import pytest

from app.domain import captures
from ml.runtime.face.drawn_face import drawn_face_file
from ml.runtime.face.encoder_input import EncoderInput
from ml.runtime.face.errors import FaceTooSmallError, FaceTurnedAwayError, NoFaceError
from ml.runtime.face.preparation import FacePreparation
from ml.runtime.face.raw_face import RawFace
from ml.runtime.image.errors import ImageUndecodableError
from tests.unit.ml.runtime.face.computed_faces import FRONTAL, KnownFaces, face_at
from tests.unit.ml.runtime.face.test_encoder_input import FIELDS
from tests.unit.ml.runtime.face.test_pose import with_nose

CAPTURE = RawFace(drawn_face_file())  # 240 pixels a side.


def on_canvas(landmarks: np.ndarray) -> np.ndarray:
    """Places in the picture as the first look sees them: 256 pixels in the middle of 320."""
    return (landmarks + 0.5) * 256 / 240 - 0.5 + 32


def preparation(*landmarks: np.ndarray) -> FacePreparation:
    found = [face_at(on_canvas(places)) for places in landmarks]
    return FacePreparation(EncoderInput.from_dict(FIELDS), KnownFaces(found))


class TestPrepare:
    def test_one_face_is_one_image_of_evidence(self):
        prepared = preparation(FRONTAL).prepare(CAPTURE)

        assert (prepared.evidence.amount, prepared.evidence.unit) == (1.0, "images")
        assert prepared.inputs["image"].shape == (1, 3, 112, 112)

    def test_facts_say_where_the_face_lies(self):
        facts = preparation(FRONTAL).prepare(CAPTURE).facts

        assert facts.landmarks == pytest.approx(FRONTAL.astype(np.float32), abs=1e-3)
        assert facts.size_px == (240, 240)
        assert isinstance(facts, captures.FaceFacts)
        assert repr(facts) == "FaceFacts(240×240)"

    def test_a_face_of_few_pixels_is_too_small(self):
        with pytest.raises(FaceTooSmallError, match="at least 12 pixels apart, found 11"):
            preparation(100 + (FRONTAL - 100) * 11.5 / 48).prepare(CAPTURE)

    def test_a_profile_is_turned_away(self):
        with pytest.raises(FaceTurnedAwayError):
            preparation(with_nose(1.4)).prepare(CAPTURE)

    def test_what_is_no_picture_is_refused(self):
        with pytest.raises(ImageUndecodableError):
            preparation(FRONTAL).prepare(RawFace(b"GIF89a"))

    def test_a_large_picture_gives_the_crop_of_a_small_one(self):
        """Decoded at a quarter, not shrunk by leaving pixels out."""
        pixels = cv2.imdecode(np.frombuffer(CAPTURE.image, np.uint8), cv2.IMREAD_COLOR)
        large = cv2.resize(pixels, (960, 960), interpolation=cv2.INTER_CUBIC)
        file = RawFace(cv2.imencode(".png", large)[1].tobytes())

        small_crop, large_crop = (
            preparation(FRONTAL).prepare(capture).inputs["image"] for capture in (CAPTURE, file)
        )

        assert np.abs(small_crop - large_crop).mean() * 128 < 1.0


class TestExamine:
    def test_it_shows_a_face_that_is_refused(self):
        assert preparation(with_nose(1.4)).examine(CAPTURE) is not None

    @pytest.mark.parametrize("capture", [CAPTURE, RawFace(b"nothing")])
    def test_nothing_is_to_be_seen_without_a_face_or_picture(self, capture):
        assert preparation().examine(capture) is None


class TestOpening:
    def test_without_its_detector_it_is_refused(self):
        with pytest.raises(ValueError, match=r"needs its detector\.onnx"):
            FacePreparation.opened(FIELDS, {})

    def test_no_face_is_an_error_of_its_own(self):
        with pytest.raises(NoFaceError):
            preparation().prepare(CAPTURE)
