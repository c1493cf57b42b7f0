"""``POST /verify`` through the whole stack."""

import pytest

from tests.factories import enroll_body, verify_body


@pytest.fixture
def enrolled(api):
    assert api.post("/enroll", enroll_body("ann", person=1)).status_code == 201
    return api


class TestDecision:
    def test_mated_probe_is_a_match(self, enrolled):
        answer = enrolled.post("/verify", verify_body("ann", person=1))

        assert answer.status_code == 200
        body = answer.json()
        assert body["decision"] == "match"
        assert body["subject_id"] == "ann"
        assert body["score"] >= body["threshold"]
        assert body["policy"] == {"kind": "calibrated", "fmr": 0.001}

    def test_non_mated_probe_is_a_non_match_with_status_200(self, enrolled):
        answer = enrolled.post("/verify", verify_body("ann", person=2))

        assert answer.status_code == 200
        assert answer.json()["decision"] == "non_match"
