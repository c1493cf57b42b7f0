"""`POST /verify` through the whole stack."""

import pytest

from app.domain.subjects import Scope
from tests.factories import ecg, enroll_body, flat_ecg, verify_body

FACE = {"modality": "face", "image_b64": "/9j/4AAQ"}


@pytest.fixture
def enrolled(api):
    assert api.post("/enroll", enroll_body("ann", person=1)).status_code == 201
    return api


class TestDecision:
    def test_mated_probe_is_a_match(self, enrolled):
        answer = enrolled.post("/verify", verify_body("ann", person=1))

        assert answer.status_code == 200
        body = answer.json()
        assert (body["decision"], body["subject_id"]) == ("match", "ann")
        assert body["score"] >= body["threshold"]
        assert 0.0 < body["fmr_at_score"] <= 0.001
        assert body["policy"] == {"kind": "calibrated", "fmr": 0.001}

    def test_non_mated_probe_is_a_non_match_with_status_200(self, enrolled):
        answer = enrolled.post("/verify", verify_body("ann", person=2))

        assert answer.status_code == 200
        body = answer.json()
        assert body["decision"] == "non_match"
        assert body["shortfall_db"] == pytest.approx(body["threshold"] - body["score"], abs=1e-5)

    def test_fields_come_in_the_order_of_the_contract(self, enrolled):
        body = enrolled.post("/v1/verify", verify_body("ann", person=1)).json()

        assert list(body) == [
            "decision", "subject_id", "score", "threshold", "threshold_basis", "fmr_at_score", "policy",
            "fusion", "reasons", "modalities", "activity", "processing_ms", "transaction_id",
        ]  # fmt: skip
        assert list(body["modalities"][0]) == [
            "modality", "status", "score", "distance", "metric", "seconds", "quality", "encoder",
        ]  # fmt: skip

    def test_heart_rate_comes_with_the_decision(self, enrolled):
        body = enrolled.post("/verify", verify_body("ann", person=1)).json()

        assert body["activity"] == {"heart_rate_bpm": 72.0}

    def test_the_transaction_id_is_the_request_id(self, enrolled):
        answer = enrolled.post("/verify", verify_body("ann", person=1))

        assert answer.json()["transaction_id"] == answer.headers["x-request-id"]
        assert answer.json()["transaction_id"] in enrolled.log.getvalue()

    def test_a_request_may_be_stricter_than_its_gallery(self, enrolled):
        body = enrolled.post("/verify", verify_body("ann", person=1, fmr=1e-9)).json()

        assert body["decision"] == "non_match"
        assert body["policy"]["fmr"] == 1e-9
        assert body["reasons"] == ["evidence_ceiling", "uncorrected_sensor"]
        assert body["evidence_ceiling"] < body["threshold"]

    def test_a_threshold_says_whether_it_was_measured(self, enrolled):
        found = {
            fmr: enrolled.post("/verify", verify_body("ann", person=1, fmr=fmr)).json()
            for fmr in (1e-3, 1e-5, 1e-9)
        }

        assert {fmr: body["threshold_basis"] for fmr, body in found.items()} == {
            1e-3: "measured", 1e-5: "extrapolated", 1e-9: "extrapolated",
        }  # fmt: skip
        assert found[1e-3]["threshold"] < found[1e-5]["threshold"] < found[1e-9]["threshold"]


class TestRefusal:
    def test_unknown_subject(self, enrolled):
        answer = enrolled.post("/verify", verify_body("bob", person=1))

        assert (answer.status_code, answer.json()["code"]) == (404, "subject_not_found")

    def test_poor_signal(self, enrolled):
        answer = enrolled.post("/verify", {"subject_id": "ann", "recordings": [flat_ecg()]})

        assert (answer.status_code, answer.json()["code"]) == (422, "signal_flat")

    def test_another_lead_is_not_comparable(self, api):
        api.post("/enroll", {"subject_id": "ann", "recordings": [ecg(1) | {"lead": "I"}]})

        answer = api.post("/verify", {"subject_id": "ann", "recordings": [ecg(1, 1) | {"lead": "V2"}]})

        assert (answer.status_code, answer.json()["code"]) == (422, "not_comparable")
        assert "the probe has V2, enrolled is I (ecg)" in answer.json()["detail"]

    def test_a_modality_without_an_encoder(self, enrolled):
        answer = enrolled.post("/verify", {"subject_id": "ann", "recordings": [FACE]})

        assert (answer.status_code, answer.json()["code"]) == (422, "modality_unavailable")


class TestTwelveLeads:
    def leads(self, take):
        names = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
        return [ecg(1, take) | {"lead": name} for name in names]

    def test_what_was_enrolled_in_one_request_is_compared_in_one(self, api):
        api.post("/enroll", {"subject_id": "ann", "recordings": self.leads(0)})

        claimed = api.post("/verify", {"subject_id": "ann", "recordings": self.leads(1)})
        searched = api.post("/identify", {"recordings": self.leads(1)})

        assert [claimed.status_code, searched.status_code] == [200, 200]
        assert claimed.json()["decision"] == "match"

    def test_a_probe_may_be_as_large_as_an_enrollment(self, api):
        recordings = [ecg(1, take, seconds=25.0) for take in range(24)]
        body = {"subject_id": "ann", "recordings": recordings}

        statuses = [api.post(path, body).status_code for path in ("/enroll", "/verify")]
        statuses += [
            api.post(path, {"recordings": recordings}).status_code for path in ("/identify", "/quality")
        ]

        assert statuses == [201, 200, 200, 200]


class TestOtherModalities:
    def test_an_unusable_one_is_a_status_beside_a_usable_one(self, enrolled):
        body = {"subject_id": "ann", "recordings": [ecg(1, 1), FACE]}

        answer = enrolled.post("/verify", body)

        assert answer.status_code == 200
        assert answer.json()["decision"] == "match"
        face = answer.json()["modalities"][1]
        assert (face["modality"], face["status"]) == ("face", "unavailable")
        assert "score" not in face


class TestDistancePolicy:
    @pytest.fixture
    def gallery(self, api):
        rules = {"ecg": {"metric": "euclidean", "max_distance": 0.3}}
        api.post("/galleries", {"name": "raw", "policy": {"kind": "distance", "rules": rules}})
        api.post("/enroll", enroll_body("ann", person=1, gallery="raw"))
        return api

    def test_decides_by_the_distance_and_tells_the_score(self, gallery):
        body = gallery.post("/verify", verify_body("ann", person=1, gallery="raw")).json()

        assert body["decision"] == "match"
        assert body["threshold"] is None
        assert body["policy"] == {
            "kind": "distance",
            "rules": {"ecg": {"metric": "euclidean", "max_distance": 0.3}},
        }
        assert body["modalities"][0]["metric"] == "euclidean"
        assert body["modalities"][0]["distance"] <= 0.3

    def test_error_rates_do_not_apply(self, gallery):
        answer = gallery.post("/verify", verify_body("ann", person=1, gallery="raw", fmr=1e-4))

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestWithheld:
    """What a non-match tells of its nearness would let a caller climb towards a match."""

    @pytest.fixture
    def key(self, enrolled):
        return enrolled.new_key(Scope.VERIFY)

    def test_a_non_match_has_no_score(self, enrolled, key):
        body = enrolled.post("/verify", verify_body("ann", person=2), key=key).json()

        assert list(body) == [
            "decision", "subject_id", "threshold", "threshold_basis", "policy", "fusion", "reasons",
            "modalities", "activity", "processing_ms", "transaction_id",
        ]  # fmt: skip
        assert body["decision"] == "non_match"
        assert body["threshold"] > 0
        assert [list(part) for part in body["modalities"]] == [
            ["modality", "status", "seconds", "quality", "encoder"]
        ]

    def test_nor_under_a_distance_policy(self, api):
        rules = {"ecg": {"metric": "euclidean", "max_distance": 0.3}}
        api.post("/galleries", {"name": "raw", "policy": {"kind": "distance", "rules": rules}})
        api.post("/enroll", enroll_body("ann", person=1, gallery="raw"))

        body = api.post(
            "/verify", verify_body("ann", person=2, gallery="raw"), key=api.new_key(Scope.VERIFY)
        ).json()

        assert (body["decision"], body["threshold"]) == ("non_match", None)
        assert body["threshold_basis"] is None
        assert not {"score", "fmr_at_score"} & body.keys()
        assert not {"score", "distance", "metric"} & body["modalities"][0].keys()

    def test_a_rate_beyond_the_evidence_is_named_all_the_same(self, enrolled, key):
        body = enrolled.post("/verify", verify_body("ann", person=2, fmr=1e-9), key=key).json()

        assert body["reasons"] == ["evidence_ceiling", "uncorrected_sensor"]
        assert body["evidence_ceiling"] < body["threshold"]

    def test_where_a_threshold_comes_from_follows_from_the_probe(self, enrolled, key):
        enrolled.post("/enroll", enroll_body("bob", person=3))

        near, far = (
            enrolled.post("/verify", verify_body(name, person=2, fmr=1e-5), key=key).json()
            for name in ("ann", "bob")
        )

        assert near["threshold_basis"] == far["threshold_basis"] == "extrapolated"
        assert near["threshold"] == far["threshold"]

    def test_a_match_is_told_with_its_score(self, enrolled, key):
        body = enrolled.post("/verify", verify_body("ann", person=1), key=key).json()

        assert body["decision"] == "match"
        assert body["score"] >= body["threshold"]
        assert "distance" in body["modalities"][0]


class TestUnknownName:
    """Without the scope `read` nobody can tell an unknown name from a known one."""

    OF_THE_REQUEST = ("processing_ms", "transaction_id")

    @pytest.fixture
    def people(self, api):
        for person, name in enumerate(("ann", "bob", "cid")):
            assert api.post("/enroll", enroll_body(name, person)).status_code == 201
        return api

    def asked(self, api, name, person, *scopes, **changes):
        body = verify_body(name, person) | changes
        answer = api.post("/verify", body, key=api.new_key(Scope.VERIFY, *scopes))
        return answer.status_code, {k: v for k, v in answer.json().items() if k not in self.OF_THE_REQUEST}

    @pytest.mark.parametrize("name", ["dan", "auth0|eve", "Ann"])
    def test_is_answered_as_a_known_one_that_does_not_match(self, people, name):
        assert self.asked(people, name, 7) == self.asked(people, "ann", 7)

    @pytest.mark.parametrize("scopes", [(), (Scope.READ_SCORES,)])
    def test_has_the_same_fields_with_scores(self, people, scopes):
        known, unknown = (self.asked(people, name, 7, *scopes) for name in ("ann", "dan"))

        assert known[0] == unknown[0] == 200
        assert known[1]["decision"] == unknown[1]["decision"] == "non_match"
        assert known[1].keys() == unknown[1].keys()
        assert [part.keys() for part in known[1]["modalities"]] == [
            part.keys() for part in unknown[1]["modalities"]
        ]

    @pytest.mark.parametrize("scopes", [(), (Scope.READ_SCORES,)])
    def test_never_matches_whoever_asks(self, people, scopes):
        for person in range(3):
            status, body = self.asked(people, "dan", person, *scopes)

            assert (status, body["decision"], body["subject_id"]) == (200, "non_match", None)

    def test_is_not_found_by_whoever_may_read(self, people):
        status, body = self.asked(people, "dan", 7, Scope.READ)

        assert (status, body["code"]) == (404, "subject_not_found")

    def test_is_refused_as_a_known_one_for_another_lead(self, api):
        for person, name in enumerate(("ann", "bob")):
            api.post("/enroll", {"subject_id": name, "recordings": [ecg(person) | {"lead": "I"}]})
        probe = [ecg(7) | {"lead": "V2"}]

        known, unknown = (self.asked(api, name, 7, recordings=probe) for name in ("ann", "dan"))

        assert known == unknown
        assert known[1]["code"] == "not_comparable"

    def test_is_refused_as_a_known_one_for_a_poor_strip(self, people):
        known, unknown = (self.asked(people, name, 7, recordings=[flat_ecg()]) for name in ("ann", "dan"))

        assert known == unknown
        assert known[1]["code"] == "signal_flat"

    def test_in_an_empty_gallery_does_not_match(self, api):
        status, body = self.asked(api, "dan", 7)

        assert (status, body["decision"], body["reasons"]) == (200, "non_match", ["no_comparison"])

    def test_is_counted_as_a_non_match(self, people):
        self.asked(people, "dan", 7)

        assert '"decision": "non_match"' in people.log.getvalue()
