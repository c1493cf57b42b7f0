"""Faces over HTTP, by the encoder that needs no weights: it verifies, and says that it does not identify."""

import base64

import pytest

from app.adapters.encoders import load_encoders
from app.fetching.fetching import fetch
from app.fetching.obtaining import Sources
from ml.runtime.face.drawn_face import drawn_face_file
from tests.api.application import open_api
from tests.bundles import write_network_bundle
from tests.unit.app.fetching.test_fetching import LBP


def face(person: int, take: int = 0) -> dict:
    image = drawn_face_file(person, take=take, size=128)
    return {"modality": "face", "image_b64": base64.b64encode(image).decode()}


@pytest.fixture
def api(sqlite_url, tmp_path):
    fetch(LBP, tmp_path, Sources(tmp_path / "cache"))
    write_network_bundle(tmp_path, "ecg@1")
    with open_api(sqlite_url, load_encoders(tmp_path, {})) as opened:
        opened.post("/enroll", {"subject_id": "ann", "recordings": [face(1), face(1, 1)]})
        yield opened


class TestOneToOneOnly:
    def test_a_face_is_enrolled_and_verified(self, api):
        answer = api.post("/verify", {"subject_id": "ann", "recordings": [face(1, 2)]})

        assert answer.status_code == 200
        (part,) = answer.json()["modalities"]
        assert (part["status"], part["encoder"]) == ("used", "face-lbp@2026.12")
        assert "seconds" not in part

    def test_another_face_scores_lower(self, api):
        scores = [
            api.post("/verify", {"subject_id": "ann", "recordings": [face(person, 2)]}).json()["score"]
            for person in (1, 2)
        ]

        assert scores[0] > scores[1]

    def test_nobody_is_identified_by_it(self, api):
        answer = api.post("/identify", {"recordings": [face(1, 2)]})

        assert answer.status_code == 422
        assert answer.json()["code"] == "modality_unavailable"
        assert "face-lbp@2026.12 compares one to one only" in answer.json()["detail"]

    def test_models_say_so(self, api):
        models = {one["id"]: one for one in api.get("/models").json()["items"]}

        assert models["face-lbp"]["one_to_one_only"] is True
        assert "one_to_one_only" not in models["ecg"]

    def test_what_is_no_picture_is_refused(self, api):
        broken = {"modality": "face", "image_b64": base64.b64encode(b"GIF89a").decode()}

        answer = api.post("/verify", {"subject_id": "ann", "recordings": [broken]})

        assert (answer.status_code, answer.json()["code"]) == (422, "image_undecodable")
