"""Nothing biometric leaks: marker samples appear in no answer, no log line and no exception."""

import json

import numpy as np
import pytest

from tests.api.application import open_api
from tests.factories import ecg, enroll_body, strip
from tests.fakes import FakeEncoder, FakeEncoders

# Values that occur nowhere else, as numbers and as the text they might be quoted as.
MARKERS = (0.8675309, -0.8151623, 1.2345678)
AS_TEXT = ("8675309", "8151623", "2345678", "1234.5678", "zq7marker")


def marked(person=1, **changes):
    signal = strip(person).tolist()
    signal[10:13] = MARKERS
    return ecg(person) | {"signal": signal} | changes


class DefectiveEncoder(FakeEncoder):
    """Fails as libraries do: with the input in the message."""

    def encode(self, capture):
        raise ValueError(f"cannot work on {np.asarray(capture.signal)[10:13]} zq7marker")


def assert_silent(api, answers):
    for answer in answers:
        for text in AS_TEXT:
            assert text not in answer.text
    for text in AS_TEXT:
        assert text not in api.log.getvalue()


class TestRecordings:
    def test_do_not_come_back_from_good_requests(self, api):
        recordings = [marked()]

        answers = [
            api.post("/enroll", {"subject_id": "ann", "recordings": recordings}),
            api.post("/verify", {"subject_id": "ann", "recordings": recordings}),
            api.post("/identify", {"recordings": recordings}),
            api.post("/quality", {"recordings": recordings}),
            api.get("/subjects/ann/references"),
        ]

        assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200]
        assert_silent(api, answers)

    @pytest.mark.parametrize(
        "changes",
        [
            {"unit": "zq7marker"},
            {"modality": "zq7marker"},
            {"lead": "zq7marker"},
            {"fs_hz": 1234.5678},
            {"fs_hz": "1234.5678"},
            {"zq7marker, zq7marker": 1},
            {"8675309": {"zq7marker": MARKERS}},
            {"signal": [*MARKERS, "zq7marker"]},
            {"signal": [*MARKERS, [1234.5678]]},
            {"signal": "zq7marker"},
            {"signal": {"zq7marker": list(MARKERS)}},
            {"signal": [*MARKERS, 8675309e9] * 100},
            {"signal": list(MARKERS)},
            {"captured_at": "zq7marker"},
            {"captured_at": 1234.5678},
            {"signal_b64": "zq7marker"},
            {"dtype": "zq7marker"},
        ],
    )
    def test_do_not_come_back_from_bad_requests(self, api, changes):
        answer = api.post("/enroll", {"subject_id": "ann", "recordings": [marked(**changes)]})

        assert answer.status_code == 422
        assert_silent(api, [answer])

    @pytest.mark.parametrize("cut", [1, 50, 500])
    def test_do_not_come_back_from_broken_json(self, api, cut):
        body = json.dumps({"subject_id": "ann", "recordings": [marked()]}).encode()[:-cut]

        answer = api.post("/enroll", content=body)

        assert answer.status_code == 400
        assert_silent(api, [answer])

    def test_do_not_come_back_from_defects(self, sqlite_url):
        with open_api(sqlite_url, FakeEncoders(DefectiveEncoder())) as api:
            answer = api.post("/enroll", {"subject_id": "ann", "recordings": [marked()]})

            assert answer.status_code == 500
            assert_silent(api, [answer])


class TestIdentifiers:
    def test_subjects_and_keys_are_not_in_the_log(self, api):
        api.post("/enroll", enroll_body("zq7marker", person=1))
        api.get("/subjects/zq7marker")
        api.delete("/subjects/zq7marker")

        assert_silent(api, [])
        assert api.key not in api.log.getvalue()
        assert api.key.split("_", 2)[2] not in api.log.getvalue()


class TestRepresentations:
    def test_of_request_schemas_are_silent(self):
        from app.api.schemas.enroll import EnrollBody

        body = EnrollBody.model_validate_json(
            json.dumps({"subject_id": "zq7marker", "recordings": [marked()]})
        )

        assert repr(body) == "EnrollBody(…)"
        assert "zq7marker" not in f"{body} {body.recordings} {body.to_domain('default').recordings}"
