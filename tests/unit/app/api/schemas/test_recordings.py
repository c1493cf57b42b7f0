import base64
import json
from datetime import UTC, datetime

from app.api.schemas.recordings import EcgRecording, FaceRecording, FingerprintRecording
from app.domain.captures import EcgStrip, FaceImage, FingerprintImage
from tests.factories import ecg

IMAGE = base64.b64encode(b"an image").decode()


class TestToDomain:
    def test_a_strip_keeps_rate_and_lead(self):
        body = ecg(1) | {"lead": "II", "captured_at": "2026-11-20T09:30:00Z"}

        strip = EcgRecording.model_validate_json(json.dumps(body)).to_domain()

        assert isinstance(strip, EcgStrip)
        assert (strip.fs_hz, strip.lead, strip.position) == (100.0, "II", "II")
        assert strip.captured_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
        assert strip.signal.size == len(body["signal"])

    def test_a_face_keeps_its_bytes(self):
        face = FaceRecording.model_validate({"modality": "face", "image_b64": IMAGE}).to_domain()

        assert isinstance(face, FaceImage)
        assert face.image == b"an image"

    def test_a_fingerprint_keeps_resolution_and_finger(self):
        body = {"modality": "fingerprint", "image_b64": IMAGE, "dpi": 1000, "finger": "left_thumb"}

        fingerprint = FingerprintRecording.model_validate_json(json.dumps(body)).to_domain()

        assert isinstance(fingerprint, FingerprintImage)
        assert (fingerprint.image, fingerprint.dpi) == (b"an image", 1000)
        assert fingerprint.finger == fingerprint.position == "left_thumb"
