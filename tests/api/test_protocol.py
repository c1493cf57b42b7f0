"""HTTP itself: bodies that are too large, too slow or cut off; paths and methods; headers."""

import asyncio
import dataclasses
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.deps import Limits
from app.api.in_flight import BytesInFlight
from app.domain.errors import TemporaryError
from app.domain.subjects import Scope
from tests.api.application import JSON, Exchange
from tests.factories import ecg, enroll_body, verify_body


@pytest.fixture
def limited(sqlite_api):
    """The application with limits that a test can reach."""
    limits = Limits(max_body_bytes=10_000, max_enroll_body_bytes=10_000, body_timeout_s=0.05)
    services = dataclasses.replace(sqlite_api.services, limits=limits)
    sqlite_api.app.state.services = services
    return sqlite_api


def chunks(*parts):
    """A body that arrives in parts, and then nothing for ever."""
    left = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def receive():
        if left:
            return left.pop(0)
        return await asyncio.Event().wait()

    return receive


def whole(body):
    """A body that arrives at once."""

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def unread():
    raise AssertionError("the body was read")


class TestLargeBodies:
    def test_an_announced_length_is_refused_without_reading(self, limited):
        exchange = Exchange(limited, [JSON, (b"content-length", b"10001")]).run(unread)

        assert (exchange.status, exchange.problem["code"]) == (413, "payload_too_large")

    def test_a_body_is_counted_while_it_arrives(self, limited):
        exchange = Exchange(limited).run(chunks(b"[" * 6000, b"[" * 6000))

        assert (exchange.status, exchange.problem["code"]) == (413, "payload_too_large")

    def test_a_lie_about_the_length_does_not_help(self, limited):
        headers = [JSON, (b"content-length", b"2")]

        exchange = Exchange(limited, headers).run(chunks(b"[" * 6000, b"[" * 6000))

        assert exchange.status == 413

    @pytest.mark.parametrize(
        ("path", "mebibytes"),
        [
            ("/verify", 8),
            ("/identify", 8),
            ("/quality", 8),
            ("/galleries", 4),
            ("/enroll", 8),
            ("/activity", 8),
        ],
    )
    def test_the_default_limit_is_that_of_the_route(self, shared_api, path, mebibytes):
        largest = b" " * (mebibytes * 1024 * 1024)

        at, above = (shared_api.post(path, content=body) for body in (largest, largest + b" "))

        assert (at.status_code, at.json()["code"]) == (400, "malformed_payload")
        assert (above.status_code, above.json()["code"]) == (413, "payload_too_large")


class TestBodiesInFlight:
    def test_are_bounded_over_all_requests_and_forgotten_with_their_answers(self, sqlite_api):
        in_flight = BytesInFlight(max_bytes=10_000)
        sqlite_api.app.state.services = dataclasses.replace(sqlite_api.services, in_flight=in_flight)

        with in_flight.body() as others:
            others.grow(6_000)
            refused = Exchange(sqlite_api).run(chunks(b"[" * 3_000, b"[" * 3_000))
        read = Exchange(sqlite_api).run(whole(b"[" * 6_000))

        assert (refused.status, refused.problem["code"]) == (503, "overloaded")
        assert (b"retry-after", b"1") in refused.sent[0]["headers"]
        assert read.status == 422
        with in_flight.body() as all_of_them:
            all_of_them.grow(10_000)


class TestKeyBeforeBody:
    @pytest.mark.parametrize(
        "path", ["/enroll", "/verify", "/identify", "/activity", "/quality", "/galleries"]
    )
    def test_no_byte_is_read_for_an_unknown_key(self, sqlite_api, path):
        exchange = Exchange(sqlite_api, path=path, key=f"pp_{'0' * 16}_{'A' * 43}").run(unread)

        assert (exchange.status, exchange.problem["code"]) == (401, "invalid_credentials")

    def test_no_byte_is_read_for_a_revoked_key(self, sqlite_api):
        key = sqlite_api.new_key()
        sqlite_api.services.access.revoke(key.split("_")[1])

        assert Exchange(sqlite_api, key=key).run(unread).status == 401

    def test_a_key_revoked_while_its_body_trickles_in_is_refused(self, sqlite_api, monkeypatch):
        monkeypatch.setattr("app.api.bodies.ADMISSION_LASTS_S", 0.0)
        key = sqlite_api.new_key()

        async def receive():
            sqlite_api.services.access.revoke(key.split("_")[1])
            return {"type": "http.request", "body": b"{}", "more_body": False}

        assert Exchange(sqlite_api, key=key).run(receive).status == 401

    @pytest.mark.parametrize("path", ["/enroll", "/identify", "/activity", "/galleries"])
    def test_no_byte_is_read_for_a_key_without_the_scope(self, sqlite_api, path):
        key = sqlite_api.new_key(Scope.VERIFY)

        exchange = Exchange(sqlite_api, path=path, key=key).run(unread)

        assert (exchange.status, exchange.problem["code"]) == (403, "insufficient_scope")


class TestSlowBodies:
    def test_a_body_that_does_not_end_is_a_timeout(self, limited):
        exchange = Exchange(limited).run(chunks(b'{"subject_id":'))

        assert (exchange.status, exchange.problem["code"]) == (408, "request_timeout")


class TestDisconnect:
    def test_a_client_that_goes_away_is_no_failure(self, limited):
        messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0)

        exchange = Exchange(limited).run(receive)

        assert exchange.sent == []
        assert '"status": 499' in limited.log.getvalue()
        assert "http.failed" not in limited.log.getvalue()


class TestMediaTypes:
    @pytest.mark.parametrize(
        "media_type",
        [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            'application/json;charset="UTF-8"',
        ],
    )
    def test_json_in_utf_8_is_welcome(self, shared_api, media_type):
        answer = shared_api.post("/quality", {"recordings": [ecg(1)]}, headers={"Content-Type": media_type})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "media_type",
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
         "application/json; charset=latin-1", "application/problem+json", "application/jsonp", "*/*", ";"],
    )  # fmt: skip
    def test_anything_else_is_refused(self, shared_api, media_type):
        answer = shared_api.post("/quality", {"recordings": [ecg(1)]}, headers={"Content-Type": media_type})

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    def test_a_content_coding_is_refused(self, shared_api):
        answer = shared_api.post("/quality", content=b"x", headers={"Content-Encoding": "gzip"})

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


class TestPathsAndMethods:
    @pytest.mark.parametrize(
        "path", ["/nope", "/enroll/", "/v2/enroll", "/v1/quality", "/subjects/a/b", "/models//"]
    )
    def test_unknown_paths_are_not_found(self, shared_api, path):
        answer = shared_api.call("GET", path)

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_the_root_leads_to_the_documentation(self, shared_api):
        answer = shared_api.get("/", key=None)

        assert (answer.status_code, answer.headers["location"]) == (307, "/docs")

    def test_what_the_path_was_is_not_told(self, shared_api):
        assert "zq7marker" not in shared_api.get("/zq7marker").text

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/enroll", "POST, OPTIONS"),
            ("PATCH", "/subjects/ann", "GET, DELETE, HEAD, OPTIONS"),
            ("POST", "/subjects", "GET, HEAD, OPTIONS"),
            ("PATCH", "/galleries/default", "GET, PUT, DELETE, HEAD, OPTIONS"),
            ("TRACE", "/healthz", "GET, HEAD, OPTIONS"),
            ("BREW", "/v1/verify", "POST, OPTIONS"),
        ],
    )
    def test_other_methods_are_told_the_ones_allowed(self, shared_api, method, path, allowed):
        answer = shared_api.call(method, path)

        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == allowed

    def test_options_tells_the_methods(self, shared_api):
        answer = shared_api.call("OPTIONS", "/galleries", key=None)

        assert (answer.status_code, answer.headers["allow"]) == (204, "GET, POST, HEAD, OPTIONS")

    def test_head_is_get_without_the_body(self, shared_api):
        head, get = shared_api.call("HEAD", "/models"), shared_api.get("/models")

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]

    def test_unknown_query_parameters_are_refused_everywhere(self, shared_api):
        for method, path, body in (
            ("POST", "/verify", verify_body("ann", person=1)),
            ("POST", "/enroll", enroll_body("ann", person=1)),
            ("GET", "/models", None),
            ("GET", "/galleries", None),
            ("GET", "/subjects/ann", None),
        ):
            answer = shared_api.call(method, f"{path}?zq7=zq7marker", body)

            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
            assert "zq7" not in answer.text

    @given(pairs=st.lists(st.tuples(st.sampled_from(["limit", "cursor", "x"]), st.text()), max_size=3))
    def test_any_text_is_a_query_or_refused(self, shared_api, pairs):
        answer = shared_api.get(f"/subjects?{urlencode(pairs)}")

        assert answer.status_code == 200 or answer.json()["code"] == "invalid_request"


class TestHeaders:
    @pytest.mark.parametrize("path", ["/models", "/nope", "/healthz", "/docs", "/metrics", "/openapi.json"])
    def test_every_answer_is_private_and_named(self, shared_api, path):
        headers = shared_api.get(path).headers

        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 36
        assert "server" not in headers

    def test_request_ids_differ_and_are_of_version_7(self, shared_api):
        ids = [shared_api.get("/healthz").headers["x-request-id"] for _ in range(2)]

        assert ids[0] != ids[1]
        assert [one[14] for one in ids] == ["7", "7"]


class TestFailures:
    def broken(self, api, error):
        """The application with a directory that fails."""

        class Broken:
            def subjects(self, *_):
                raise error

        services = dataclasses.replace(api.services, directory=Broken())
        api.app.state.services = services

    def test_a_defect_is_500_and_says_nothing(self, sqlite_api):
        self.broken(sqlite_api, RuntimeError("zq7marker"))

        answer = sqlite_api.get("/subjects")

        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert "zq7marker" not in answer.text
        assert "zq7marker" not in sqlite_api.log.getvalue()
        assert '"error": "RuntimeError"' in sqlite_api.log.getvalue()

    def test_a_busy_store_is_503_with_retry_after(self, sqlite_api):
        self.broken(sqlite_api, TemporaryError("busy", code="store_unavailable", retry_after_s=3))

        answer = sqlite_api.get("/subjects")

        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert answer.headers["retry-after"] == "3"

    def test_a_full_queue_is_503_with_retry_after(self, sqlite_api):
        class Full:
            queued = 0

            async def run(self, job):
                raise TemporaryError("Too many requests are waiting.")

        sqlite_api.app.state.services = dataclasses.replace(sqlite_api.services, executor=Full())

        answer = sqlite_api.get("/models")

        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"


class TestProblems:
    def test_a_problem_is_as_rfc_9457_and_the_contract_say(self, shared_api):
        answer = shared_api.post("/verify", {"subject_id": "ann"})

        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert list(problem) == ["type", "title", "status", "detail", "code", "transaction_id", "errors"]
        assert problem["type"] == "/docs#invalid_request"
        assert problem["transaction_id"] == answer.headers["x-request-id"]
        assert problem["errors"] == [
            {"pointer": "/recordings", "code": "invalid_request", "detail": "This field is required."}
        ]

    def test_its_type_leads_to_an_explanation(self, shared_api):
        problem = shared_api.get("/nope").json()
        path, _, anchor = problem["type"].partition("#")

        assert f'id="{anchor}"' in shared_api.get(path, key=None).text
