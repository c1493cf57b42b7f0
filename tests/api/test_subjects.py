"""`/subjects`: lists, metadata, erasure."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from app.domain.subjects import Scope
from tests.factories import enroll_body, verify_body


@pytest.fixture
def enrolled(api):
    for person in range(5):
        assert api.post("/enroll", enroll_body(f"s{person}", person, takes=2)).status_code == 201
    return api


def walk(api, path):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        page = api.get(path if cursor is None else f"{path}&cursor={cursor}").json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


OF_IDENTITY_PROVIDERS = [
    "anna+door@example.com", "auth0|0123456789abcdef01234567", "google-oauth2|1029384756",
    "_dK3x9aBz0QmT7vP1LwEq", "-dK3x_9aBz0QmT7vP1LwE", "@anna", ".anna", "...", ". a",
    "CN=Anna Schmidt,OU=Door #3;x?y&z", "100%", "%41", "a%2Fb", "~`!$^*()[]{}<>=:;,",
    "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "did:key:z6Mk", "x" * 128,
]  # fmt: skip


@pytest.mark.parametrize("subject_id", OF_IDENTITY_PROVIDERS)
def test_names_of_identity_providers_work_in_every_call(api, subject_id):
    url = f"/subjects/{quote(subject_id, safe='')}"

    enrolled = api.post("/enroll", enroll_body(subject_id, 1, takes=2))
    verified = api.post("/verify", verify_body(subject_id, 1))
    found = api.get(url)
    listed = api.get("/subjects").json()["items"]
    first, _ = api.get(f"{url}/references").json()["items"]
    page = api.get(f"{url}/references?limit=1").json()
    following = api.get(f"{url}/references?limit=1&cursor={page['next_cursor']}")
    one_less = api.delete(f"{url}/references/{first['id']}")
    erased = api.delete(url, headers={"Idempotency-Key": "k"})
    again = api.delete(url, headers={"Idempotency-Key": "k"})
    gone = api.get(url)

    assert enrolled.status_code == 201
    assert enrolled.json()["subject_id"] == verified.json()["subject_id"] == subject_id
    assert found.json()["subject_id"] == listed[0]["subject_id"] == subject_id
    statuses = [one.status_code for one in (following, one_less, erased, again, gone)]
    assert statuses == [200, 204, 204, 204, 404]


@pytest.mark.parametrize(
    "subject_id",
    ["", " ", ".", "..", " a", "a ", "o'brien", 'a"b', "a/b", "a\\b", "a\tb", "a\x7f", "ä", "x" * 129],
)
def test_other_names_are_refused_with_the_rule(shared_api, subject_id):
    answer = shared_api.post("/enroll", enroll_body(subject_id, 1))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/subject_id"
    assert "printable ASCII" in answer.json()["errors"][0]["detail"] or not subject_id


class TestList:
    def test_pages_follow_each_other_in_order_of_enrollment(self, enrolled):
        listed = walk(enrolled, "/subjects?limit=2")

        assert [subject["subject_id"] for subject in listed] == ["s0", "s1", "s2", "s3", "s4"]
        assert list(listed[0]) == ["subject_id", "gallery", "created_at"]

    def test_a_page_that_ends_the_list_has_no_cursor(self, enrolled):
        assert enrolled.get("/subjects?limit=5").json()["next_cursor"] is None

    def test_an_erasure_between_two_pages_skips_nobody(self, enrolled):
        first = enrolled.get("/subjects?limit=2").json()
        enrolled.delete("/subjects/s1")

        second = enrolled.get(f"/subjects?limit=2&cursor={first['next_cursor']}").json()

        assert [subject["subject_id"] for subject in second["items"]] == ["s2", "s3"]

    @pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "x", "", "1_0", "+5", "%D9%A3", "9" * 40])
    def test_a_limit_outside_1_to_200_is_refused(self, enrolled, limit):
        answer = enrolled.get(f"/subjects?limit={limit}")

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"][0]["pointer"] == "/limit"

    @pytest.mark.parametrize(
        "query", ["x=1", "limit=2&limit=3", "gallery=a/b", "gallery=", "cursor=", "cursor=!", "cursor=AAAA"]
    )
    def test_other_queries_are_refused(self, enrolled, query):
        answer = enrolled.get(f"/subjects?{query}")

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestCursor:
    def test_of_another_gallery_is_refused(self, enrolled):
        enrolled.post("/galleries", {"name": "other"})
        cursor = enrolled.get("/subjects?limit=1").json()["next_cursor"]

        answer = enrolled.get(f"/subjects?gallery=other&cursor={cursor}")

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    def test_of_another_list_is_refused(self, enrolled):
        cursor = enrolled.get("/subjects?limit=1").json()["next_cursor"]

        assert enrolled.get(f"/galleries?cursor={cursor}").status_code == 422
        assert enrolled.get(f"/subjects/s0/references?cursor={cursor}").status_code == 422

    def test_of_another_subjects_references_is_refused(self, enrolled):
        cursor = enrolled.get("/subjects/s0/references?limit=1").json()["next_cursor"]

        assert enrolled.get(f"/subjects/s0/references?cursor={cursor}").status_code == 200
        assert enrolled.get(f"/subjects/s1/references?cursor={cursor}").status_code == 422

    def test_a_changed_cursor_is_refused(self, enrolled):
        cursor = enrolled.get("/subjects?limit=1").json()["next_cursor"]
        changed = cursor[:5] + ("B" if cursor[5] == "A" else "A") + cursor[6:]

        assert enrolled.get(f"/subjects?cursor={changed}").status_code == 422


class TestSubject:
    def test_is_metadata_only(self, enrolled):
        body = enrolled.get("/subjects/s0").json()

        assert list(body) == ["subject_id", "gallery", "created_at", "references"]
        assert body["references"] == 2

    @pytest.mark.parametrize("name", ["nobody", "a%20b", "%00", "a" * 200, "%F0%9F%AB%80", "..%2e", "-a"])
    def test_unknown_or_impossible_names_are_not_found(self, enrolled, name):
        for answer in (
            enrolled.get(f"/subjects/{name}"),
            enrolled.get(f"/subjects/{name}/references"),
            enrolled.delete(f"/subjects/{name}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "subject_not_found")

    def test_references_are_listed_as_metadata(self, enrolled):
        listed = walk(enrolled, "/subjects/s0/references?limit=1")

        assert len(listed) == 2
        assert list(listed[0]) == [
            "id", "modality", "position", "encoder", "quality", "seconds", "created_at",
        ]  # fmt: skip


class TestErasure:
    def test_of_a_subject_leaves_nothing_to_find(self, enrolled):
        answer = enrolled.delete("/subjects/s0")

        assert (answer.status_code, answer.content) == (204, b"")
        assert enrolled.get("/subjects/s0").status_code == 404
        assert enrolled.post("/verify", verify_body("s0", person=0)).status_code == 404
        assert enrolled.delete("/subjects/s0").status_code == 404

    def test_of_one_reference_keeps_the_other(self, enrolled):
        first = enrolled.get("/subjects/s0/references").json()["items"][0]["id"]

        answer = enrolled.delete(f"/subjects/s0/references/{first}")

        assert answer.status_code == 204
        left = enrolled.get("/subjects/s0/references").json()["items"]
        assert [reference["id"] for reference in left] != [first]
        assert len(left) == 1
        assert enrolled.post("/verify", verify_body("s0", person=0)).json()["decision"] == "match"

    @pytest.mark.parametrize(
        "reference", ["x", "0", "{}", str(uuid4()), uuid4().hex, "%7B" + str(uuid4()) + "%7D"]
    )
    def test_of_an_unknown_reference_is_not_found(self, enrolled, reference):
        answer = enrolled.delete(f"/subjects/s0/references/{reference}")

        assert (answer.status_code, answer.json()["code"]) == (404, "reference_not_found")

    def test_of_another_subjects_reference_is_not_found(self, enrolled):
        foreign = enrolled.get("/subjects/s1/references").json()["items"][0]["id"]

        assert enrolled.delete(f"/subjects/s0/references/{foreign}").status_code == 404
        assert enrolled.get("/subjects/s1").json()["references"] == 2


def test_without_read_an_absent_reference_does_not_tell_whether_its_subject_exists(enrolled):
    key = enrolled.new_key(Scope.ERASE)

    known, unknown = (
        enrolled.delete(f"/subjects/{name}/references/{uuid4()}", key=key) for name in ("s0", "nobody")
    )

    assert known.status_code == unknown.status_code == 404
    assert known.json() | {"transaction_id": ""} == unknown.json() | {"transaction_id": ""}
    assert known.json()["code"] == "reference_not_found"
