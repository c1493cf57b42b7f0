"""Pictures through the whole stack: whose resolution counts, what is refused, and that nothing leaks."""

import base64

import numpy as np
import pytest

from app.api.schemas.example_images import EXAMPLE_FACE_B64, EXAMPLE_FINGERPRINT_B64
from app.domain.errors import FailureToAcquireError
from app.domain.references import Modality
from ml.runtime.encoding import Encoding
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES, Evidence
from ml.runtime.image.decoding import decode_grey
from ml.runtime.image.opening import open_image
from ml.runtime.image.resolution import required_dpi
from tests import images
from tests.api.application import open_api
from tests.factories import ecg
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder, unit

PIXELS = images.picture(40, 40)[..., 0]
SILENT = images.grey_png(PIXELS)
STATING = images.grey_png(PIXELS, images.physical(39370, 39370))
MARKER = b"zq7marker8675309" * 3
REFUSED = {
    "another format": (b"GIF89a" + MARKER, "image_undecodable"),
    "cut short": (SILENT[:-20], "image_undecodable"),
    "no zlib stream": (
        SILENT[:33] + images.chunk(b"IDAT", MARKER) + images.chunk(b"IEND"),
        "image_undecodable",
    ),
    "too many pixels": (images.PNG_SIGNATURE + images.png_head(60_000, 60_000) + MARKER, "image_too_large"),
    "no resolution": (SILENT + MARKER, "dpi_required"),
}


class PrintEncoder(FakeFaceEncoder):
    """Opens images as the encoders of images do, and keeps the resolutions that it was told."""

    modality = Modality.FINGERPRINT

    def __init__(self):
        super().__init__()
        self.encoder_id = "fakeprint@2026.11"
        self.dpi = []

    def encode(self, capture):
        try:
            image = open_image(capture.image)
            self.dpi.append(required_dpi(capture.dpi, image.header))
            grey = decode_grey(image)
        except CaptureError as error:
            raise FailureToAcquireError(str(error), code=error.code) from error
        vector = unit(np.resize(grey.astype(np.float32), 12) - 127.0)
        return Encoding(vector, Evidence(1.0, IMAGES, 0.9))


def fingerprint(content, **fields):
    return {"modality": "fingerprint", "image_b64": base64.b64encode(content).decode()} | fields


@pytest.fixture
def encoder():
    return PrintEncoder()


@pytest.fixture
def served(sqlite_url, encoder):
    with open_api(sqlite_url, encoders=FakeEncoders(FakeEncoder(), encoder)) as api:
        api.post("/galleries", {"name": "silent"})
        api.post("/galleries", {"name": "stating", "fingerprint_dpi": 569})
        yield api


class TestResolution:
    @pytest.mark.parametrize(
        ("recording", "gallery", "dpi"),
        [
            (fingerprint(STATING, dpi=500), "stating", 500),
            (fingerprint(STATING), "stating", 569),
            (fingerprint(STATING), "silent", 1000),
            (fingerprint(SILENT), "stating", 569),
            (fingerprint(SILENT, dpi=500), "silent", 500),
        ],
    )
    def test_is_that_of_the_request_or_the_gallery_or_the_file(
        self, served, encoder, recording, gallery, dpi
    ):
        body = {"gallery": gallery, "recordings": [recording]}

        assert served.post("/enroll", body | {"subject_id": "ann"}).status_code == 201
        assert served.post("/verify", body | {"subject_id": "ann"}).status_code == 200
        assert served.post("/identify", body).status_code == 200

        assert encoder.dpi == [dpi] * 3

    def test_is_never_guessed(self, served):
        body = {"gallery": "silent", "recordings": [fingerprint(SILENT)]}

        for path in ("/enroll", "/verify"):
            answer = served.post(path, body | {"subject_id": "ann"})
            expected = (404, "subject_not_found") if path == "/verify" else (422, "dpi_required")
            assert (answer.status_code, answer.json()["code"]) == expected
        (report,) = served.post("/quality", {"recordings": [fingerprint(SILENT)]}).json()["recordings"]
        assert (report["accepted"], report["code"]) == (False, "dpi_required")

    def test_a_gallery_that_is_not_granted_is_absent(self, served):
        key = served.new_key(galleries=("silent",))
        body = {"gallery": "stating", "subject_id": "ann", "recordings": [fingerprint(SILENT)]}

        for path, fields in (
            ("/enroll", body),
            ("/verify", body),
            ("/identify", body | {"subject_id": None}),
        ):
            sent = {name: value for name, value in fields.items() if value is not None}
            answer = served.post(path, sent, key=key)
            assert (answer.status_code, answer.json()["code"]) == (404, "gallery_not_found")

    def test_one_recording_without_it_leaves_the_others(self, served):
        recordings = [fingerprint(SILENT), ecg(1)]

        answer = served.post("/enroll", {"subject_id": "ann", "gallery": "silent", "recordings": recordings})

        assert answer.status_code == 201
        assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [(0, "dpi_required")]


class TestRefusal:
    @pytest.mark.parametrize("name", REFUSED)
    def test_has_its_code_and_quotes_nothing(self, served, capfd, name):
        content, code = REFUSED[name]
        sent = fingerprint(content)

        answer = served.post("/enroll", {"subject_id": "ann", "recordings": [sent]})

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        said = answer.text + served.log.getvalue() + "".join(capfd.readouterr())
        for text in ("zq7marker", sent["image_b64"][20:60], base64.b64encode(MARKER).decode()[:12]):
            assert text not in said


class TestExamples:
    @pytest.mark.parametrize(("image_b64", "dpi"), [(EXAMPLE_FACE_B64, None), (EXAMPLE_FINGERPRINT_B64, 500)])
    def test_they_are_pictures(self, image_b64, dpi):
        image = open_image(base64.b64decode(image_b64))

        assert image.header.dpi == dpi
        assert set(np.unique(decode_grey(image))) == {0, 255}
