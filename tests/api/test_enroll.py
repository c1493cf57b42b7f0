"""`POST /enroll` through the whole stack."""

import pytest

from app.domain.subjects import Scope
from tests.factories import ecg, ecg_bytes, enroll_body, flat_ecg, verify_body


class TestAnswer:
    def test_three_recordings_make_three_references(self, api):
        answer = api.post("/enroll", enroll_body("ann", person=1, takes=3))

        assert answer.status_code == 201
        body = answer.json()
        assert list(body) == ["subject_id", "gallery", "references", "rejected", "created_at"]
        assert (body["subject_id"], body["gallery"], body["rejected"]) == ("ann", "default", [])
        assert len({reference["id"] for reference in body["references"]}) == 3

    def test_a_reference_is_told_as_in_the_contract(self, api):
        recording = ecg(1) | {"lead": "I"}

        reference = api.post("/enroll", {"subject_id": "ann", "recordings": [recording]}).json()[
            "references"
        ][0]

        assert list(reference) == [
            "id",
            "modality",
            "position",
            "encoder",
            "quality",
            "seconds",
            "heart_rate_bpm",
        ]
        probe = api.post("/quality", {"recordings": [recording]}).json()["recordings"][0]
        assert reference["heart_rate_bpm"] == probe["heart_rate_bpm"] > 0
        assert (reference["modality"], reference["position"], reference["seconds"]) == ("ecg", "I", 3.2)
        assert reference["encoder"] == "fake@2026.11"

    def test_the_same_answers_under_v1(self, api):
        assert api.post("/v1/enroll", enroll_body("ann", person=1)).status_code == 201
        assert api.get("/subjects/ann").status_code == 200

    def test_bytes_are_the_same_recording_as_numbers(self, api):
        api.post("/enroll", enroll_body("ann", person=1))
        probes = [ecg(1, 0), ecg_bytes(1, 0, dtype="float32"), ecg_bytes(1, 0, dtype="int16")]

        scores = [
            api.post("/verify", {"subject_id": "ann", "recordings": [probe]}).json()["score"]
            for probe in probes
        ]

        assert scores[1] == pytest.approx(scores[0], abs=1e-6)
        assert scores[2] == pytest.approx(scores[0], abs=1e-3)

    def test_a_bare_window_of_300_samples_at_100_hz_is_enough(self, api):
        window = ecg(1, seconds=3.0)
        assert len(window["signal"]) == 300

        assert api.post("/enroll", {"subject_id": "ann", "recordings": [window]}).status_code == 201

    def test_whole_numbers_are_numbers(self, api):
        recording = ecg_bytes(1) | {"signal": [round(1000 * x) for x in ecg(1)["signal"]]}
        del recording["signal_b64"], recording["dtype"]

        assert api.post("/enroll", {"subject_id": "ann", "recordings": [recording]}).status_code == 201


class TestRejection:
    def test_what_is_usable_is_stored_and_the_rest_is_named(self, api):
        body = {"subject_id": "ann", "recordings": [ecg(1), flat_ecg(), ecg(1, 1, seconds=1.0)]}

        answer = api.post("/enroll", body)

        assert answer.status_code == 201
        assert len(answer.json()["references"]) == 1
        rejected = answer.json()["rejected"]
        assert [list(one) for one in rejected] == [["index", "code", "detail"]] * 2
        assert [(one["index"], one["code"]) for one in rejected] == [
            (1, "signal_flat"),
            (2, "signal_too_short"),
        ]

    def test_nothing_usable_is_the_code_of_the_first_with_all_in_errors(self, api):
        body = {"subject_id": "ann", "recordings": [ecg(1, seconds=1.0), flat_ecg()]}

        answer = api.post("/enroll", body)

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_too_short")
        assert [fault["code"] for fault in answer.json()["errors"]] == ["signal_too_short", "signal_flat"]
        assert api.get("/subjects/ann").status_code == 404


class TestAddingToASubject:
    @pytest.fixture
    def known(self, api):
        assert api.post("/enroll", enroll_body("ann", person=1)).status_code == 201
        return api

    def test_a_mated_recording_is_added(self, known):
        answer = known.post("/enroll", {"subject_id": "ann", "recordings": [ecg(1, 7)]})

        assert answer.status_code == 201
        assert known.get("/subjects/ann").json()["references"] == 2

    def test_a_non_mated_recording_is_a_mismatch_and_changes_nothing(self, known):
        answer = known.post("/enroll", {"subject_id": "ann", "recordings": [ecg(2)]})

        assert (answer.status_code, answer.json()["code"]) == (422, "reference_mismatch")
        assert known.get("/subjects/ann").json()["references"] == 1

    def test_force_needs_the_scope_admin(self, known):
        key = known.new_key(*(set(Scope) - {Scope.ADMIN}))

        answer = known.post("/enroll", enroll_body("ann", person=2, force=True), key=key)

        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    def test_an_admin_may_force_a_mismatch(self, known):
        assert known.post("/enroll", enroll_body("ann", person=2, force=True)).status_code == 201

    def test_more_than_32_references_are_a_conflict_and_store_nothing(self, known):
        for take in (1, 20):
            recordings = [ecg(1, take + n) for n in range(15)]
            assert known.post("/enroll", {"subject_id": "ann", "recordings": recordings}).status_code == 201

        answer = known.post("/enroll", {"subject_id": "ann", "recordings": [ecg(1, 50), ecg(1, 51)]})

        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_references")
        assert known.get("/subjects/ann").json()["references"] == 31


class TestMetadata:
    def test_consent_is_kept_as_given(self, api):
        consent = {"text_id": "notice 3", "given_at": "2026-11-20T10:30:00+01:00"}

        api.post("/enroll", enroll_body("ann", person=1, consent=consent))

        assert api.get("/subjects/ann").json()["consent"] == {
            "text_id": "notice 3",
            "given_at": "2026-11-20T09:30:00Z",
        }

    def test_capture_time_is_kept(self, api):
        recording = ecg(1) | {"captured_at": "2026-11-01T08:00:00.25Z"}

        api.post("/enroll", {"subject_id": "ann", "recordings": [recording]})

        reference = api.get("/subjects/ann/references").json()["items"][0]
        assert reference["captured_at"] == "2026-11-01T08:00:00.250000Z"

    def test_an_enrolled_subject_is_found_at_the_next_request(self, api):
        api.post("/enroll", enroll_body("ann", person=1))

        assert api.post("/verify", verify_body("ann", person=1)).json()["decision"] == "match"


class TestKnownUnderAnotherName:
    def test_is_told_to_nobody_without_admin(self, sqlite_api):
        sqlite_api.post("/enroll", enroll_body("ann", person=1))
        key = sqlite_api.new_key(Scope.ENROLL)

        answer = sqlite_api.post("/enroll", enroll_body("bob", person=1), key=key)

        assert answer.status_code == 201
        assert "possible_duplicate_of" not in answer.json()
        assert "duplicate" not in sqlite_api.get("/metrics", key=None).text

    def test_is_logged_of_what_was_stored_and_names_nobody(self, sqlite_api):
        sqlite_api.post("/enroll", enroll_body("ann", person=1))
        key = sqlite_api.new_key(Scope.ENROLL)

        refused = sqlite_api.post("/enroll", enroll_body("ann", person=2), key=key)
        before = sqlite_api.log.getvalue()
        sqlite_api.post("/enroll", enroll_body("bob", person=1), key=key)

        (line,) = [x for x in sqlite_api.log.getvalue().splitlines() if "possible_duplicate" in x]
        assert refused.status_code == 422
        assert "possible_duplicate" not in before
        assert "ann" not in line
        assert "bob" not in line
