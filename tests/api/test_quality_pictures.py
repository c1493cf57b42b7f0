"""`POST /quality` with `Accept: image/svg+xml`: what the service sees, as a picture."""

import base64
from hashlib import sha256
from xml.etree import ElementTree

import numpy as np
import pytest

from ml.runtime.encoding import Encoding
from ml.runtime.evidence import IMAGES, Evidence
from tests.api.application import JSON, Exchange, open_api, open_shipped_api
from tests.factories import ecg, flat_ecg
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder
from tests.image_facts import face_facts

SVG = "image/svg+xml"
TEXT = "{http://www.w3.org/2000/svg}text"
FACE = {"modality": "face", "image_b64": "/9j/4AAQ"}
EXAMPLE = {"recordings": [ecg(1), flat_ecg(), FACE]}


def asked(api, accept, body=EXAMPLE):
    return api.post("/quality", body, headers={"Accept": accept} if accept is not None else None)


def words(answer):
    root = ElementTree.fromstring(answer.content)
    return " ".join("".join(one.itertext()) for one in root.iter(TEXT))


async def unread():
    raise AssertionError("the body was read")


class TestNegotiation:
    @pytest.mark.parametrize("accept", ["*/*", "application/json", "image/svg+xml;q=0.5, */*", ""])
    def test_json_is_the_default(self, shared_api, accept):
        answer = asked(shared_api, accept)

        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["vary"] == "Accept"
        assert len(answer.json()["recordings"]) == 3

    @pytest.mark.parametrize("accept", [SVG, "image/*", "application/json;q=0.5, image/svg+xml"])
    def test_a_picture_comes_to_those_who_prefer_it(self, shared_api, accept):
        answer = asked(shared_api, accept)

        assert answer.status_code == 200
        assert answer.headers["content-type"] == SVG
        assert answer.headers["vary"] == "Accept"
        assert answer.content.startswith(b"<svg xmlns=")

    def test_several_headers_are_one_list(self, shared_api):
        headers = [("Accept", "text/html"), ("Accept", SVG)]

        answer = shared_api.post("/quality", EXAMPLE, headers=headers)

        assert answer.headers["content-type"] == SVG

    @pytest.mark.parametrize("accept", ["text/html", "image/png", "application/json;q=0", "nonsense"])
    def test_what_cannot_be_answered_is_refused_before_the_body_is_read(self, sqlite_api, accept):
        headers = [JSON, (b"accept", accept.encode())]

        exchange = Exchange(sqlite_api, headers, "/quality").run(unread)

        assert (exchange.status, exchange.problem["code"]) == (406, "not_acceptable")
        assert exchange.problem["detail"] == "Answers here are application/json or image/svg+xml."

    def test_nothing_is_negotiated_without_a_key(self, sqlite_api):
        key = f"pp_{'0' * 16}_{'A' * 43}"

        exchange = Exchange(sqlite_api, [JSON, (b"accept", b"text/html")], "/quality", key=key).run(unread)

        assert exchange.status == 401

    def test_errors_stay_problems(self, shared_api):
        answer = asked(shared_api, SVG, {"recordings": []})

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"

    def test_other_calls_answer_json_whatever_is_accepted(self, shared_api):
        assert shared_api.get("/models", headers={"Accept": SVG}).status_code == 200


class TestPicture:
    def test_every_recording_has_its_card(self, shared_api):
        answer = asked(shared_api, SVG)

        assert [title in words(answer) for title in ("1 · ECG", "2 · ECG", "3 · Face")] == [True] * 3
        assert "No encoder is loaded for face." in words(answer)

    def test_runs_and_loads_nothing_and_is_not_kept(self, shared_api):
        answer = asked(shared_api, SVG)
        root = ElementTree.fromstring(answer.content)
        (style,) = [one.text for one in root if one.tag.endswith("style")]
        digest = base64.b64encode(sha256(style.encode()).digest()).decode()

        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; sandbox"
        )
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_nothing_is_stored_and_nothing_is_logged_of_it(self, api):
        asked(api, SVG)

        assert api.get("/subjects").json()["items"] == []
        assert "svg" not in api.log.getvalue()

    def test_the_documented_example_is_a_picture(self, shared_api):
        answers = shared_api.openapi["paths"]["/quality"]["post"]["responses"]

        assert list(answers["200"]["content"]) == ["application/json", SVG]
        assert ElementTree.fromstring(answers["200"]["content"][SVG]["example"]).tag.endswith("svg")
        assert "406" in answers


class TestShippedEncoder:
    def test_draws_what_it_refuses_too(self, sqlite_url):
        noise = np.random.default_rng(0).standard_normal(1000).round(3).tolist()
        recording = {"modality": "ecg", "fs_hz": 100, "unit": "mV", "signal": noise}
        with open_shipped_api(sqlite_url) as api:
            answer = asked(api, SVG, {"recordings": [recording]})
            report = asked(api, None, {"recordings": [recording]}).json()["recordings"][0]

        assert report["code"] == "no_heartbeat"
        assert report["explanations"][0].startswith("The strip shows no heartbeat.")
        assert b'class="main"' in answer.content
        assert "not used: no heartbeat" in words(answer)


class SeeingFaceEncoder(FakeFaceEncoder):
    """Says where the face is."""

    def encode(self, capture):
        vector = np.eye(1, 12, dtype=np.float32)[0]
        return Encoding(vector, Evidence(1.0, IMAGES, 0.6), facts=face_facts(scale=0.3))


class TestImages:
    def test_are_explained_in_figures_and_words_and_never_by_who_they_show(self, sqlite_url):
        with open_api(sqlite_url, FakeEncoders(FakeEncoder(), SeeingFaceEncoder())) as api:
            (report,) = asked(api, None, {"recordings": [FACE]}).json()["recordings"]

        assert report == {
            "index": 0,
            "accepted": True,
            "score": 0.6,
            "reasons": ["small_face"],
            "explanations": ["The eyes are only 26 pixels apart. Come closer."],
            "eye_distance_px": 25.5,
            "quality_parts": {"sharpness": 0.83, "size": 0.9, "frontal": 0.71, "light": 0.7},
        }
