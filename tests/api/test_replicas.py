"""Several processes, one after another or side by side, on one database."""

import pytest

from app.domain.errors import ConfigurationError
from tests.api.application import open_api
from tests.factories import ecg, enroll_body, identify_body, verify_body
from tests.fakes import FakeEncoder, FakeEncoders

OLD, NEW = FakeEncoder("2026.11"), FakeEncoder("2026.12")


class TestRestart:
    def test_acknowledged_enrollments_are_found_afterwards(self, database_url):
        with open_api(database_url) as before:
            before.post("/enroll", enroll_body("ann", person=1))

        with open_api(database_url) as after:
            assert after.post("/identify", identify_body(1)).json()["subject_id"] == "ann"


class TestSideBySide:
    @pytest.fixture
    def pair(self, database_url):
        with open_api(database_url) as one, open_api(database_url) as other:
            yield one, other

    def test_each_finds_what_the_other_acknowledged(self, pair):
        one, other = pair
        one.post("/enroll", enroll_body("ann", person=1))

        assert other.post("/identify", identify_body(1)).json()["subject_id"] == "ann"
        assert other.post("/verify", verify_body("ann", person=1)).json()["decision"] == "match"

    def test_neither_finds_whom_the_other_erased(self, pair):
        one, other = pair
        one.post("/enroll", enroll_body("ann", person=1))
        other.post("/identify", identify_body(1))

        one.delete("/subjects/ann")

        assert other.post("/identify", identify_body(1)).json()["candidates"] == []

    def test_a_renewal_by_one_is_followed_by_the_other(self, pair):
        one, other = pair
        one.post("/enroll", enroll_body("ann", person=1))
        before = other.post("/identify", identify_body(1)).json()

        one.post("/galleries/default/renew")

        after = other.post("/identify", identify_body(1)).json()
        assert after["subject_id"] == "ann"
        assert after["score"] == pytest.approx(before["score"], abs=1e-3)

    def test_a_policy_set_by_one_decides_in_the_other(self, pair):
        one, other = pair
        one.post("/enroll", enroll_body("ann", person=1))

        one.put("/galleries/default", {"policy": {"kind": "calibrated", "fmr": 1e-9}})

        assert other.post("/verify", verify_body("ann", person=1)).json()["decision"] == "non_match"

    def test_a_key_works_everywhere_and_a_cursor_too(self, pair):
        one, other = pair
        for person in range(3):
            one.post("/enroll", enroll_body(f"s{person}", person))
        first = one.get("/subjects?limit=2").json()

        second = other.get(f"/subjects?limit=2&cursor={first['next_cursor']}", key=one.key).json()

        assert [subject["subject_id"] for subject in second["items"]] == ["s2"]


class TestEncoderUpgrade:
    @pytest.fixture
    def upgraded(self, sqlite_url):
        with open_api(sqlite_url, FakeEncoders(OLD)) as before:
            before.post("/enroll", enroll_body("ann", person=1))
        with open_api(sqlite_url, FakeEncoders(NEW, OLD)) as after:
            yield after

    def test_people_of_the_old_encoder_are_not_stranded(self, upgraded):
        upgraded.post("/enroll", enroll_body("bob", person=2))

        found = [upgraded.post("/identify", identify_body(person)).json() for person in (1, 2)]

        assert [answer["subject_id"] for answer in found] == ["ann", "bob"]
        assert [answer["modalities"][0]["encoder"] for answer in found] == ["fake@2026.11", "fake@2026.12"]

    def test_adding_stores_a_reference_for_each_version(self, upgraded):
        answer = upgraded.post("/enroll", {"subject_id": "ann", "recordings": [ecg(1, 1)]})

        encoders = sorted(reference["encoder"] for reference in answer.json()["references"])
        assert encoders == ["fake@2026.11", "fake@2026.12"]
        body = upgraded.post("/verify", verify_body("ann", person=1)).json()
        assert body["modalities"][0]["encoder"] == "fake@2026.12"

    def test_a_start_without_the_old_one_is_refused(self, sqlite_url):
        with open_api(sqlite_url, FakeEncoders(OLD)) as before:
            before.post("/enroll", enroll_body("ann", person=1))

        with pytest.raises(ConfigurationError, match=r"1 references of fake@2026\.11"):
            open_api(sqlite_url, FakeEncoders(NEW)).__enter__()
