"""`Idempotency-Key` on enrollments and erasures."""

import asyncio

import pytest

from tests.factories import ecg, enroll_body

KEY = {"Idempotency-Key": "enroll-2026-11-20-0001"}


class TestEnroll:
    def test_a_repetition_gets_the_stored_answer(self, api):
        body = enroll_body("ann", person=1)
        first = api.post("/enroll", body, headers=KEY)

        second = api.post("/enroll", body, headers=KEY)

        assert (second.status_code, second.content) == (201, first.content)
        assert api.get("/subjects/ann").json()["references"] == 1

    def test_without_a_key_references_are_added(self, api):
        for _ in range(2):
            assert api.post("/enroll", enroll_body("ann", person=1)).status_code == 201

        assert api.get("/subjects/ann").json()["references"] == 2

    def test_another_body_is_refused(self, api):
        api.post("/enroll", enroll_body("ann", person=1), headers=KEY)

        answer = api.post("/enroll", enroll_body("ann", person=1, takes=2), headers=KEY)

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")

    def test_keys_of_different_clients_are_different(self, api):
        api.post("/enroll", enroll_body("ann", person=1), headers=KEY)

        answer = api.post("/enroll", enroll_body("bob", person=2), headers=KEY, key=api.new_key())

        assert answer.status_code == 201

    def test_a_refusal_is_not_stored(self, api):
        short = {"subject_id": "ann", "recordings": [ecg(1, seconds=1.0)]}
        assert api.post("/enroll", short, headers=KEY).status_code == 422

        assert api.post("/enroll", enroll_body("ann", person=1), headers=KEY).status_code == 201

    def test_simultaneous_repetitions_store_once(self, api):
        body = enroll_body("ann", person=1)

        async def twice():
            return await asyncio.gather(*(api.acall("POST", "/enroll", body, headers=KEY) for _ in range(4)))

        answers = api.run(twice())

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert api.get("/subjects/ann").json()["references"] == 1

    def test_erasing_the_subject_erases_its_answers(self, api):
        body = enroll_body("ann", person=1)
        first = api.post("/enroll", body, headers=KEY)
        api.delete("/subjects/ann")

        again = api.post("/enroll", body, headers=KEY)

        assert again.status_code == 201
        assert again.content != first.content

    @pytest.mark.parametrize("key", ["", "a" * 256, "a\tb", "caf\u00e9"])
    def test_a_bad_key_is_refused(self, api, key):
        headers = [("Idempotency-Key", key.encode("latin-1")), ("Authorization", f"Bearer {api.key}")]

        answer = api.post("/enroll", enroll_body("ann", person=1), key=None, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"][0]["pointer"] == "/Idempotency-Key"
        assert api.get("/subjects/ann").status_code == 404

    def test_two_keys_are_refused(self, api):
        headers = [("Idempotency-Key", key) for key in ("one", "two")]

        answer = api.post("/enroll", enroll_body("ann", person=1), headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestErasure:
    def test_a_repetition_gets_the_stored_answer(self, api):
        api.post("/enroll", enroll_body("ann", person=1))

        answers = [api.delete("/subjects/ann", headers=KEY) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 204]
        assert api.delete("/subjects/ann").status_code == 404

    def test_the_gallery_is_part_of_the_request(self, api):
        api.post("/galleries", {"name": "other"})
        for gallery in ("default", "other"):
            api.post("/enroll", enroll_body("ann", person=1, gallery=gallery))
        api.delete("/subjects/ann?gallery=other", headers=KEY)

        answer = api.delete("/subjects/ann", headers=KEY)

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert api.get("/subjects/ann").status_code == 200

    def test_of_a_reference_is_repeatable_too(self, api):
        api.post("/enroll", enroll_body("ann", person=1, takes=2))
        reference = api.get("/subjects/ann/references").json()["items"][0]["id"]

        answers = [api.delete(f"/subjects/ann/references/{reference}", headers=KEY) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 204]
        assert api.get("/subjects/ann").json()["references"] == 1
