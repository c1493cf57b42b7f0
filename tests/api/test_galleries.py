"""`/galleries` through the whole stack."""

import json

import pytest

from app.bootstrap import report_null_jump
from app.domain.subjects import Scope
from app.matching.null_jumps import JumpReason, NullJump
from tests.factories import enroll_body, identify_body, verify_body

STRICT = {"kind": "calibrated", "fmr": 1e-4, "fpir": 1e-3, "required": ["ecg"], "min_quality": 0.5}


class TestCreation:
    def test_default_exists_from_the_start(self, api):
        body = api.get("/galleries/default").json()

        assert list(body) == [
            "name", "policy", "subjects", "references", "correction", "max_subjects", "fingerprint_dpi",
            "created_at",
        ]  # fmt: skip
        assert (body["subjects"], body["references"]) == (0, 0)

    def test_a_policy_comes_back_as_given(self, api):
        created = api.post("/galleries", {"name": "plant-3", "policy": STRICT})

        assert created.status_code == 201
        assert created.json()["policy"] == STRICT
        assert api.get("/galleries/plant-3").json() == created.json()

    def test_an_existing_name_is_a_conflict(self, api):
        answer = api.post("/galleries", {"name": "default"})

        assert (answer.status_code, answer.json()["code"]) == (409, "gallery_exists")

    def test_galleries_are_isolated(self, api):
        api.post("/galleries", {"name": "other"})
        api.post("/enroll", enroll_body("ann", person=1))

        assert api.get("/subjects/ann?gallery=other").status_code == 404
        assert api.post("/identify", identify_body(1, gallery="other")).json()["candidates"] == []


class TestUnknown:
    @pytest.mark.parametrize("name", ["absent", "a%20b", "%00"])
    def test_is_not_found(self, api, name):
        for answer in (
            api.get(f"/galleries/{name}"),
            api.put(f"/galleries/{name}", {"policy": STRICT}),
            api.post(f"/galleries/{name}/renew"),
            api.delete(f"/galleries/{name}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "gallery_not_found")

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_query_parameters_are_refused(self, api, method):
        answer = api.call(method, "/galleries/default?force=1")

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestPolicy:
    def test_a_new_policy_decides_from_now_on(self, api):
        api.post("/enroll", enroll_body("ann", person=1))
        assert api.post("/verify", verify_body("ann", person=1)).json()["decision"] == "match"

        answer = api.put("/galleries/default", {"policy": {"kind": "calibrated", "fmr": 1e-9}})

        assert answer.status_code == 200
        assert answer.json()["policy"]["fmr"] == 1e-9
        assert api.post("/verify", verify_body("ann", person=1)).json()["decision"] == "non_match"

    def test_a_required_modality_that_is_missing_is_a_non_match(self, api):
        api.post("/enroll", enroll_body("ann", person=1))
        api.put("/galleries/default", {"policy": {"kind": "calibrated", "required": ["face"]}})

        body = api.post("/verify", verify_body("ann", person=1)).json()

        assert (body["decision"], body["reasons"]) == (
            "non_match",
            ["required_missing", "uncorrected_sensor"],
        )

    def test_recordings_below_the_quality_floor_are_refused(self, api):
        api.post("/enroll", enroll_body("ann", person=1))
        api.put("/galleries/default", {"policy": {"kind": "calibrated", "min_quality": 0.99}})

        answer = api.post("/verify", verify_body("ann", person=1))

        assert (answer.status_code, answer.json()["code"]) == (422, "quality_too_low")


class TestFingerprintDpi:
    def test_comes_back_as_given(self, api):
        created = api.post("/galleries", {"name": "plant-3", "fingerprint_dpi": 569})

        assert created.json()["fingerprint_dpi"] == 569
        assert api.get("/galleries/plant-3").json() == created.json()
        assert api.get("/galleries/default").json()["fingerprint_dpi"] is None

    def test_is_replaced_with_the_policy_and_gone_if_left_out(self, api):
        stated = api.put("/galleries/default", {"policy": STRICT, "fingerprint_dpi": 500}).json()
        left_out = api.put("/galleries/default", {"policy": STRICT}).json()

        assert (stated["policy"], stated["fingerprint_dpi"]) == (STRICT, 500)
        assert (left_out["policy"], left_out["fingerprint_dpi"]) == (STRICT, None)

    @pytest.mark.parametrize("dpi", [99, 2001, 500.5, "500", None])
    def test_is_within_what_scanners_have(self, api, dpi):
        for answer in (
            api.post("/galleries", {"name": "plant-3", "fingerprint_dpi": dpi}),
            api.put("/galleries/default", {"policy": STRICT, "fingerprint_dpi": dpi}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
            assert answer.json()["errors"][0]["pointer"] == "/fingerprint_dpi"


class TestRenewal:
    def test_everybody_is_recognized_as_before(self, api):
        for person in range(3):
            api.post("/enroll", enroll_body(f"s{person}", person))
        before = api.post("/identify", identify_body(1)).json()

        answer = api.post("/galleries/default/renew")

        assert (answer.status_code, answer.content) == (202, b"")
        after = api.post("/identify", identify_body(1)).json()
        assert after["subject_id"] == "s1"
        assert after["score"] == pytest.approx(before["score"], abs=1e-3)


class TestDeletion:
    def test_erases_everybody_in_it(self, api):
        api.post("/galleries", {"name": "other"})
        api.post("/enroll", enroll_body("ann", person=1, gallery="other"))

        assert api.delete("/galleries/other").status_code == 204
        assert api.get("/galleries/other").status_code == 404
        api.post("/galleries", {"name": "other"})
        assert api.get("/subjects?gallery=other").json()["items"] == []


class TestCorrection:
    def test_duplicates_are_for_admins(self, api):
        for person in range(3):
            api.post("/enroll", enroll_body(f"s{person}", person))

        (for_admin,) = api.get("/galleries/default").json()["correction"]
        (for_reader,) = api.get("/galleries/default", key=api.new_key(Scope.READ)).json()["correction"]

        assert for_admin["possible_duplicates"] == []
        assert "possible_duplicates" not in for_reader
        assert (for_reader["corrected"], for_reader["subjects"]) == (False, 3)

    def test_thirty_subjects_correct_their_gallery(self, api):
        for person in range(31):
            api.post("/enroll", enroll_body(f"s{person}", person))

        (correction,) = api.get("/galleries/default").json()["correction"]

        (for_reader,) = api.get("/galleries/default", key=api.new_key(Scope.READ)).json()["correction"]
        assert for_reader["pairs"] == 31 * 30 // 2  # Exact ones tell whether a new name is a known person.
        assert for_reader["offset_db"] == round(correction["offset_db"])
        assert (correction["corrected"], correction["subjects"]) == (True, 31)
        assert correction["pairs"] > 30
        assert correction["measured_over_nominal"] is not None

    def test_a_correction_that_jumps_is_logged_and_counted_with_its_reason(self, sqlite_api):
        jump = NullJump("ecg@1", JumpReason.LIMITED, before_db=3.0, after_db=41.04, subjects=80)

        report_null_jump("plant-3", jump)

        (line,) = [x for x in sqlite_api.log.getvalue().splitlines() if "gallery.null_jumped" in x]
        told = json.loads(line)
        assert (told["gallery"], told["reason"], told["after_db"]) == ("plant-3", "limited", 41.0)
        counted = 'pulseprint_gallery_null_jumps_total{encoder="ecg@1",reason="limited"}'
        assert counted in sqlite_api.get("/metrics", key=None).text
