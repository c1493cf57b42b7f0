import base64
import json
import time
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from app.api.schemas.images import MAX_IMAGE_BYTES
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

    def test_a_fingerprint_may_leave_its_resolution_open(self):
        body = {"modality": "fingerprint", "image_b64": IMAGE}

        assert FingerprintRecording.model_validate_json(json.dumps(body)).to_domain().dpi is None


class TestImages:
    def test_show_nothing_of_themselves(self):
        face = FaceRecording.model_validate({"modality": "face", "image_b64": IMAGE})

        assert repr(face) == str(face) == "FaceRecording(…)"

    def test_of_4_mib_are_the_largest(self):
        def read(n_bytes):
            return FaceRecording(modality="face", image_b64=base64.b64encode(bytes(n_bytes)).decode())

        assert len(read(MAX_IMAGE_BYTES).image_b64) == MAX_IMAGE_BYTES
        with pytest.raises(ValidationError) as refused:
            read(MAX_IMAGE_BYTES + 3)
        assert refused.value.errors()[0]["type"] == "image_too_large"

    def test_of_a_phone_cost_a_millisecond(self):
        """200 kB: base64 is read once, and not kept beside the bytes."""
        body = json.dumps({"modality": "face", "image_b64": base64.b64encode(bytes(200_000)).decode()})
        started_s = time.process_time()

        for _ in range(20):
            FaceRecording.model_validate_json(body)

        assert (time.process_time() - started_s) / 20 < 5e-3
