import numpy as np
import pytest

from app.domain.captures import EcgStrip, FaceImage
from app.services.quality import QualityService
from ml.runtime.encoding import Encoding
from ml.runtime.evidence import IMAGES, Evidence
from tests.factories import FS_HZ, strip
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder
from tests.image_facts import face_facts

GOOD = EcgStrip(strip(1).astype(np.float32), FS_HZ)
FLAT = EcgStrip(np.zeros(400, dtype=np.float32), FS_HZ)


class LookingEncoder(FakeEncoder):
    """Counts how often it is to look at a strip without encoding it."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at = []

    def examine(self, capture):
        self.looked_at.append(capture)
        return "seen"


class SmallFaceEncoder(FakeFaceEncoder):
    def encode(self, capture):
        vector = np.eye(1, 12, dtype=np.float32)[0]
        return Encoding(vector, Evidence(1.0, IMAGES, 0.4), ("blurred",), face_facts(scale=0.2))


class TestAssess:
    def test_what_lowers_an_image_is_said_in_codes_and_in_words(self):
        (report,) = QualityService(FakeEncoders(SmallFaceEncoder())).assess((FaceImage(b"x"),))

        assert report.reasons == ("blurred", "small_face")
        assert len(report.explanations) == 2
        assert "17 pixels" in report.explanations[1]

    def test_nothing_but_the_encoding_is_computed_for_a_report(self):
        encoder = LookingEncoder()

        good, flat = QualityService(FakeEncoders(encoder)).assess((GOOD, FLAT))

        assert (good.accepted, flat.accepted, flat.facts) == (True, False, None)
        assert encoder.looked_at == []

    def test_a_picture_also_needs_what_was_seen_of_rejected_recordings(self):
        encoder = LookingEncoder()

        good, flat = QualityService(FakeEncoders(encoder)).assess((GOOD, FLAT), look_at_rejected=True)

        assert encoder.looked_at == [FLAT]
        assert flat.facts == "seen"
        assert good.facts != "seen"

    @pytest.mark.parametrize("look_at_rejected", [False, True])
    def test_a_modality_without_an_encoder_is_a_report_too(self, look_at_rejected):
        service = QualityService(FakeEncoders())

        (report,) = service.assess((FaceImage(b"x"),), look_at_rejected=look_at_rejected)

        assert (report.accepted, report.code) == (False, "modality_unavailable")
