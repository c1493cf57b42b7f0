"""HTTP itself: bodies that are too large, too slow or cut off; paths and methods; headers."""

import asyncio
import dataclasses
import gzip
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.in_flight import BytesInFlight
from app.api.limits import Limits
from app.api.pace import Pace, SlowBodies
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


def trickle(*parts, pause_s):
    """A body that arrives in parts, each after a pause."""
    left = list(parts)

    async def receive():
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


class TestSlowBodies:
    def slowed(self, api, slow_bodies=1, **limits):
        defaults = {"body_pause_s": 0.1, "min_body_bytes_per_s": 50, "body_timeout_s": 5.0}
        api.app.state.services = dataclasses.replace(
            api.services, limits=Limits(**defaults | limits), slow_bodies=SlowBodies(slow_bodies)
        )
        return api

    def test_a_body_that_does_not_end_is_a_timeout(self, limited):
        exchange = Exchange(limited).run(chunks(b'{"subject_id":'))

        assert (exchange.status, exchange.problem["code"]) == (408, "request_timeout")

    def test_a_body_may_take_long_while_it_keeps_coming(self, sqlite_api):
        self.slowed(sqlite_api)
        body = json.dumps({"recordings": [ecg(1)]}).encode()
        parts = [body[at : at + 300] for at in range(0, len(body), 300)]
        assert len(parts) * 0.05 > 3 * 0.1

        exchange = Exchange(sqlite_api, path="/quality").run(trickle(*parts, pause_s=0.05))

        assert exchange.status == 200

    def test_a_body_that_pauses_is_a_timeout_that_names_the_rule(self, sqlite_api):
        self.slowed(sqlite_api)

        exchange = Exchange(sqlite_api).run(chunks(b"[" * 1000))

        assert (exchange.status, exchange.problem["code"]) == (408, "request_timeout")
        assert "50 bytes/s" in exchange.problem["detail"]
        assert "gzip" in exchange.problem["detail"]

    def test_a_body_that_brings_too_little_is_a_timeout(self, sqlite_api):
        self.slowed(sqlite_api, min_body_bytes_per_s=500)

        exchange = Exchange(sqlite_api).run(trickle(*[b" "] * 100, pause_s=0.02))

        assert exchange.status == 408

    def test_a_body_ends_at_its_total_time(self, sqlite_api):
        self.slowed(sqlite_api, body_timeout_s=0.3)

        exchange = Exchange(sqlite_api).run(trickle(*[b" " * 100] * 100, pause_s=0.02))

        assert exchange.status == 408

    def test_only_so_many_may_be_slow(self, sqlite_api):
        self.slowed(sqlite_api, slow_bodies=0)

        exchange = Exchange(sqlite_api).run(trickle(*[b" " * 100] * 100, pause_s=0.05))

        assert (exchange.status, exchange.problem["code"]) == (503, "overloaded")

    def test_a_place_among_them_is_free_again_afterwards(self, sqlite_api):
        self.slowed(sqlite_api, slow_bodies=1)

        statuses = [
            Exchange(sqlite_api).run(trickle(*[b" " * 100] * 5, pause_s=0.05)).status for _ in range(3)
        ]

        assert statuses == [400, 400, 400]


class TestPace:
    LIMITS = Limits(body_timeout_s=100.0, body_pause_s=10.0, min_body_bytes_per_s=100)

    @pytest.mark.parametrize(
        ("n_bytes", "now_s", "deadline_s"),
        [
            (0, 5.0, 15.0),
            (100, 5.0, 15.0),
            (300, 12.0, 18.0),
            (1_000_000, 12.0, 22.0),
            (1_000_000, 100.0, 105.0),
        ],
    )
    def test_a_deadline_follows_pause_average_and_total(self, n_bytes, now_s, deadline_s):
        with Pace(self.LIMITS, SlowBodies(), now_s=5.0) as pace:
            assert pace.deadline_s(n_bytes, now_s) == deadline_s


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
            "application/json; charset=utf8",
            "application/json; charset=UTF-8;",
            "application/json; charset=us-ascii",
            "application/json ; Charset = utf-8",
            "application/json; version=1",
            'application/json; odata.metadata=minimal; x="a;b"',
            "application/json;",
            "text/json",
        ],
    )
    def test_json_in_utf_8_is_welcome(self, shared_api, media_type):
        answer = shared_api.post("/quality", {"recordings": [ecg(1)]}, headers={"Content-Type": media_type})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "media_type",
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
         "application/json; charset=latin-1", "application/json; charset=utf-16",
         "application/json; charset=zq7", "application/problem+json", "application/jsonp", "*/*", ";"],
    )  # fmt: skip
    def test_anything_else_is_refused(self, shared_api, media_type):
        answer = shared_api.post("/quality", {"recordings": [ecg(1)]}, headers={"Content-Type": media_type})

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "compress", "zq7"])
    def test_other_codings_than_gzip_are_refused(self, shared_api, coding):
        answer = shared_api.post("/quality", content=b"x", headers={"Content-Encoding": coding})

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert "gzip" in answer.json()["detail"]


class TestAbsentBody:
    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
    @pytest.mark.parametrize("path", ["/verify", "/enroll", "/quality"])
    def test_is_named_as_one(self, shared_api, path, headers):
        answer = shared_api.post(path, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_payload")
        assert "no body" in answer.json()["detail"]

    def test_without_a_media_type_it_is_no_absent_body(self, shared_api):
        answer = shared_api.post("/verify", content=b"{}", headers={"Content-Type": ""})

        assert answer.status_code == 415


GZIP = {"Content-Encoding": "gzip"}


class TestGzip:
    @pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
    def test_is_the_same_request(self, shared_api, coding):
        body = json.dumps({"recordings": [ecg(1)]}).encode()

        plain = shared_api.post("/quality", content=body)
        coded = shared_api.post("/quality", content=gzip.compress(body), headers={"Content-Encoding": coding})

        assert coded.status_code == 200
        assert coded.json() == plain.json()

    def test_is_the_same_request_to_an_idempotency_key(self, api):
        body = json.dumps(enroll_body("ann", person=1)).encode()
        key = {"Idempotency-Key": "one"}

        first = api.post("/enroll", content=body, headers=key)
        second = api.post("/enroll", content=gzip.compress(body), headers=key | GZIP)

        assert second.status_code == 201
        assert second.content == first.content

    @pytest.mark.parametrize(
        "content",
        [
            b"{}",
            b"\x1f\x8b",
            gzip.compress(b"{}")[:-1],
            gzip.compress(b"{}") + b"{}",
            2 * gzip.compress(b"{}"),
        ],
    )
    def test_that_is_broken_or_followed_by_something_is_malformed(self, shared_api, content):
        answer = shared_api.post("/quality", content=content, headers=GZIP)

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_payload")
        assert "gzip" in answer.json()["detail"]

    def test_that_holds_nothing_is_an_absent_body(self, shared_api):
        answer = shared_api.post("/quality", content=gzip.compress(b""), headers=GZIP)

        assert "no body" in answer.json()["detail"]

    @pytest.mark.parametrize(("size", "status"), [(10_000, 400), (10_001, 413)])
    def test_grows_no_larger_than_a_body_may_be(self, limited, size, status):
        answer = limited.post("/quality", content=gzip.compress(b"[" + b"9" * (size - 1)), headers=GZIP)

        assert answer.status_code == status

    def test_grows_no_more_than_a_hundredfold(self, shared_api):
        answer = shared_api.post("/quality", content=gzip.compress(b" " * 4_000_000), headers=GZIP)

        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")

    def test_counts_as_in_flight_with_what_it_holds(self, sqlite_api):
        in_flight = BytesInFlight(max_bytes=10_000)
        sqlite_api.app.state.services = dataclasses.replace(sqlite_api.services, in_flight=in_flight)

        answer = sqlite_api.post("/quality", content=gzip.compress(b"[" * 11_000), headers=GZIP)

        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")


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
            assert "zq7marker" not in answer.text

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
