"""`POST /identify` through the whole stack."""

import pytest

from app.domain.subjects import Scope
from tests.factories import ecg, enroll_body, flat_ecg, identify_body

PEOPLE = ("ann", "bob", "cid", "dan")
STRANGER = 99


@pytest.fixture
def enrolled(api):
    for person, name in enumerate(PEOPLE):
        assert api.post("/enroll", enroll_body(name, person)).status_code == 201
    return api


class TestDecision:
    def test_mated_probe_is_a_match_and_ranks_first(self, enrolled):
        answer = enrolled.post("/identify", identify_body(person=2))

        assert answer.status_code == 200
        body = answer.json()
        assert (body["decision"], body["subject_id"]) == ("match", "cid")
        assert (body["gallery_size"], body["fpir"]) == (4, 0.01)
        assert [candidate["rank"] for candidate in body["candidates"]] == [1, 2, 3, 4]
        assert body["candidates"][0]["subject_id"] == "cid"

    def test_a_stranger_is_a_non_match_with_candidates(self, enrolled):
        body = enrolled.post("/identify", identify_body(STRANGER)).json()

        assert body["decision"] == "non_match"
        assert sorted(candidate["subject_id"] for candidate in body["candidates"]) == list(PEOPLE)

    def test_the_list_is_as_long_as_asked_for(self, enrolled):
        body = enrolled.post("/identify", identify_body(person=2, max_candidates=2)).json()

        assert len(body["candidates"]) == 2

    def test_fields_come_in_the_order_of_the_contract(self, enrolled):
        body = enrolled.post("/v1/identify", identify_body(person=2)).json()

        assert list(body) == [
            "decision", "subject_id", "score", "threshold", "threshold_basis", "fmr_at_score", "policy",
            "fusion", "reasons", "modalities", "activity", "gallery_size", "fpir", "candidates",
            "processing_ms", "transaction_id",
        ]  # fmt: skip
        assert list(body["candidates"][0]) == ["rank", "subject_id", "score", "modalities"]

    def test_an_empty_gallery_is_a_non_match(self, api):
        answer = api.post("/identify", identify_body(person=1))

        assert answer.status_code == 200
        assert (answer.json()["decision"], answer.json()["candidates"]) == ("non_match", [])

    def test_an_erased_subject_never_appears(self, enrolled):
        enrolled.delete("/subjects/cid")

        body = enrolled.post("/identify", identify_body(person=2)).json()

        assert body["decision"] == "non_match"
        assert "cid" not in [candidate["subject_id"] for candidate in body["candidates"]]


class TestRefusal:
    def test_poor_signal(self, enrolled):
        answer = enrolled.post("/identify", {"recordings": [flat_ecg(), ecg(1, seconds=1.0)]})

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_flat")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/recordings/0", "/recordings/1"]


class TestWithheld:
    """Who comes near, and how near, is for those who hold both `read` and `read:scores`."""

    ALL = (Scope.IDENTIFY, Scope.READ, Scope.READ_SCORES)

    def test_with_both_scopes_everybody_is_listed_with_scores(self, enrolled):
        body = enrolled.post("/identify", identify_body(STRANGER), key=enrolled.new_key(*self.ALL)).json()

        assert sorted(candidate["subject_id"] for candidate in body["candidates"]) == list(PEOPLE)
        assert all("score" in part for part in (body, *body["candidates"]))

    @pytest.mark.parametrize("lacking", [Scope.READ, Scope.READ_SCORES])
    def test_without_either_nobody_is_listed_who_does_not_match(self, enrolled, lacking):
        key = enrolled.new_key(*(scope for scope in self.ALL if scope is not lacking))

        stranger, known = (
            enrolled.post("/identify", identify_body(person), key=key).json() for person in (STRANGER, 2)
        )

        assert (stranger["decision"], stranger["candidates"]) == ("non_match", [])
        assert [candidate["subject_id"] for candidate in known["candidates"]] == ["cid"]
        assert known["candidates"][0]["score"] == known["score"]

    def test_a_non_match_tells_of_the_probe_alone(self, enrolled):
        key = enrolled.new_key(Scope.IDENTIFY)

        body = enrolled.post("/identify", identify_body(STRANGER), key=key).json()

        assert list(body) == [
            "decision", "subject_id", "threshold", "threshold_basis", "policy", "fusion", "reasons",
            "modalities", "activity", "gallery_size", "fpir", "candidates", "processing_ms", "transaction_id",
        ]  # fmt: skip
        assert [list(part) for part in body["modalities"]] == [
            ["modality", "status", "seconds", "quality", "encoder"]
        ]

    def test_an_empty_gallery_has_no_score_either(self, api):
        body = api.post("/identify", identify_body(1), key=api.new_key(Scope.IDENTIFY)).json()

        assert body["decision"] == "non_match"
        assert "score" not in body
