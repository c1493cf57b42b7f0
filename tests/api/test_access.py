"""Who may call what: every route, before it looks at anything else."""

import base64
from uuid import uuid4

import pytest

from app.domain.subjects import Scope
from tests.factories import ecg, enroll_body, identify_body, verify_body

POLICY = {"policy": {"kind": "calibrated"}}
ROUTES = [
    ("POST", "/enroll", enroll_body("ann", person=1), Scope.ENROLL),
    ("POST", "/verify", verify_body("ann", person=1), Scope.VERIFY),
    ("POST", "/identify", identify_body(person=1), Scope.IDENTIFY),
    ("POST", "/activity", {"recording": ecg(1)}, Scope.ACTIVITY),
    ("POST", "/v1/enroll", enroll_body("ann", person=1), Scope.ENROLL),
    ("POST", "/v1/verify", verify_body("ann", person=1), Scope.VERIFY),
    ("POST", "/v1/identify", identify_body(person=1), Scope.IDENTIFY),
    ("POST", "/v1/activity", {"recording": ecg(1)}, Scope.ACTIVITY),
    ("POST", "/quality", {"recordings": [ecg(1)]}, None),
    ("GET", "/models", None, None),
    ("GET", "/subjects", None, Scope.READ),
    ("GET", "/subjects/ann", None, Scope.READ),
    ("GET", "/subjects/ann/references", None, Scope.READ),
    ("DELETE", "/subjects/ann", None, Scope.ERASE),
    ("DELETE", f"/subjects/ann/references/{uuid4()}", None, Scope.ERASE),
    ("GET", "/galleries", None, Scope.READ),
    ("GET", "/galleries/default", None, Scope.READ),
    ("POST", "/galleries", {"name": "new"}, Scope.ADMIN),
    ("PUT", "/galleries/default", POLICY, Scope.ADMIN),
    ("POST", "/galleries/default/renew", None, Scope.ADMIN),
    ("DELETE", "/galleries/default", None, Scope.ADMIN),
]
SCOPED = [route for route in ROUTES if route[3] is not None]
SCOPED_WITH_BODY = [route for route in SCOPED if route[2] is not None]
IN_A_GALLERY = [
    ("POST", "/enroll", enroll_body("ann", person=1, gallery="{}")),
    ("POST", "/verify", verify_body("ann", person=1, gallery="{}")),
    ("POST", "/identify", identify_body(person=1, gallery="{}")),
    ("GET", "/subjects?gallery={}", None),
    ("GET", "/subjects/ann?gallery={}", None),
    ("GET", "/subjects/ann/references?gallery={}", None),
    ("DELETE", "/subjects/ann?gallery={}", None),
    ("DELETE", f"/subjects/ann/references/{uuid4()}?gallery={{}}", None),
    ("GET", "/galleries/{}", None),
    ("PUT", "/galleries/{}", POLICY),
    ("POST", "/galleries/{}/renew", None),
]


def ids(routes):
    return [f"{route[0]} {route[1].split('?')[0]}" for route in routes]


class TestCredentials:
    @pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES, ids=ids(ROUTES))
    def test_every_route_asks_for_an_api_key(self, shared_api, method, path, body, scope):
        answer = shared_api.call(method, path, body, key=None)

        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic " + base64.b64encode(b"ann:secret").decode(),
            "Bearer pp_0123456789abcdef_" + "A" * 43,
            "Bearer pp__",
            "Bearer pp_x",
            "Bearer pp_0123456789abcdef_" + "A" * 2000,
            "Bearer pp_0123456789abcdef_{key}",
            "bearer  pp_{key} ",
            "Bearer {key} {key}",
            "Bearer {key}x",
        ],
    )
    def test_what_is_no_valid_key_is_refused(self, shared_api, authorization):
        header = authorization.replace("{key}", shared_api.key)

        answer = shared_api.get("/models", key=None, headers={"Authorization": header})

        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")

    def test_a_revoked_key_is_refused_at_once(self, api):
        client, key = api.services.access.create("guest", [Scope.READ])
        assert api.get("/models", key=key).status_code == 200

        api.services.access.revoke(client.id)

        assert api.get("/models", key=key).status_code == 401

    def test_credentials_are_asked_for_before_the_body_is_looked_at(self, shared_api):
        answer = shared_api.post("/verify", key=None, content=b"\xff", headers={"Content-Type": "text/plain"})

        assert answer.status_code == 401

    def test_the_scheme_is_not_case_sensitive(self, shared_api):
        header = f"bearer {shared_api.key}"

        assert shared_api.get("/models", key=None, headers={"Authorization": header}).status_code == 200


class TestScopes:
    @pytest.mark.parametrize(("method", "path", "body", "scope"), SCOPED, ids=ids(SCOPED))
    def test_a_key_with_all_other_scopes_is_not_enough(self, shared_api, method, path, body, scope):
        key = shared_api.new_key(*(set(Scope) - {scope}))

        answer = shared_api.call(method, path, body, key=key)

        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    @pytest.mark.parametrize(("method", "path", "body", "scope"), SCOPED_WITH_BODY, ids=ids(SCOPED_WITH_BODY))
    def test_the_scope_is_asked_for_before_the_body_is_looked_at(self, shared_api, method, path, body, scope):
        key = shared_api.new_key(*(set(Scope) - {scope}))

        answer = shared_api.call(method, path, key=key, content=b"{")

        assert answer.status_code == 403

    def test_any_key_may_ask_for_quality_and_models(self, shared_api):
        key = shared_api.new_key(Scope.ADMIN)

        assert shared_api.post("/quality", {"recordings": [ecg(1)]}, key=key).status_code == 200
        assert shared_api.get("/models", key=key).status_code == 200

    def test_creating_and_deleting_galleries_needs_all_galleries(self, api):
        key = api.new_key(*Scope, galleries=("default", "new"))

        assert api.post("/galleries", {"name": "new"}, key=key).status_code == 403
        assert api.delete("/galleries/default", key=key).status_code == 403


class TestGrants:
    @pytest.mark.parametrize(("method", "path", "body"), IN_A_GALLERY, ids=ids(IN_A_GALLERY))
    def test_an_ungranted_gallery_answers_exactly_like_an_absent_one(self, shared_api, method, path, body):
        shared_api.post("/galleries", {"name": "hidden"})
        shared_api.post("/enroll", enroll_body("ann", person=1, gallery="hidden"))
        key = shared_api.new_key(*Scope, galleries=("default",))

        answers = [
            shared_api.call(
                method,
                path.format(name),
                body and {**body, **({"gallery": name} if "gallery" in body else {})},
                key=key,
            )
            for name in ("hidden", "absent")
        ]

        problems = [answer.json() for answer in answers]
        for problem in problems:
            assert problem.pop("transaction_id")
        assert [problem["code"] for problem in problems] == ["gallery_not_found"] * 2
        assert problems[0] == problems[1]

    def test_a_list_shows_granted_galleries_only(self, api):
        api.post("/galleries", {"name": "hidden"})
        key = api.new_key(Scope.READ, galleries=("default",))

        listed = api.get("/galleries", key=key).json()["items"]

        assert [gallery["name"] for gallery in listed] == ["default"]


class TestHomeGallery:
    """A request that names no gallery goes to the only one of its key."""

    @pytest.fixture
    def plant(self, api):
        api.post("/galleries", {"name": "plant-3"})
        return api

    def test_of_a_key_with_one_gallery_is_that_one(self, plant):
        key = plant.new_key(galleries=("plant-3",))

        enrolled = plant.post("/enroll", enroll_body("ann", person=1, takes=2), key=key)
        answers = [
            plant.post("/verify", verify_body("ann", person=1), key=key),
            plant.post("/identify", identify_body(person=1), key=key),
            plant.get("/subjects", key=key),
            plant.get("/subjects/ann", key=key),
            plant.get("/subjects/ann/references", key=key),
            plant.delete("/subjects/ann", key=key),
        ]

        assert (enrolled.status_code, enrolled.json()["gallery"]) == (201, "plant-3")
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 204]
        assert answers[1].json()["subject_id"] == "ann"

    @pytest.mark.parametrize("galleries", [("*",), ("*", "plant-3"), ("default", "plant-3")])
    def test_of_other_keys_is_default(self, plant, galleries):
        key = plant.new_key(galleries=galleries)

        answer = plant.post("/enroll", enroll_body("ann", person=1), key=key)

        assert answer.json()["gallery"] == "default"

    def test_is_no_default_for_a_gallery_that_is_named(self, plant):
        key = plant.new_key(galleries=("plant-3",))

        answer = plant.post("/verify", verify_body("ann", person=1, gallery="default"), key=key)

        assert (answer.status_code, answer.json()["code"]) == (404, "gallery_not_found")
