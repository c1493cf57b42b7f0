"""The application behind the real server: uvicorn with our protocol, on a socket, fed with garbage."""

import asyncio
import contextlib
import dataclasses
import json
import socket
import threading
import time
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
import uvicorn

from app.adapters.connections import MAX_DISCARDED_BYTES, MAX_HEADERS, MAX_PIPELINED, BoundedHttpProtocol
from app.api.in_flight import BytesInFlight
from tests.factories import verify_body

TIMEOUT_S = 20.0
MAX_CONNECTIONS = 8
CLIENT_TIMEOUT_S = 1.0
UNKNOWN_KEY = f"pp_{'0' * 16}_{'A' * 43}"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def serving(app):
    """The address of a server of its own; the socket listens before the server runs, so nobody waits."""
    listener = socket.create_server(("127.0.0.1", 0))
    protocol = partial(
        BoundedHttpProtocol, max_connections=MAX_CONNECTIONS, client_timeout_s=CLIENT_TIMEOUT_S
    )
    config = uvicorn.Config(
        app, loop="uvloop", http=protocol, ws="none", lifespan="off", log_config=None,
        access_log=False, server_header=False, limit_concurrency=MAX_CONNECTIONS + 1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def address(sqlite_api):
    with serving(sqlite_api.app) as address:
        yield address


def exchange(address, *parts, half_close=False):
    """Send bytes, read all that comes back until the server closes."""
    with socket.create_connection(address, timeout=TIMEOUT_S) as connection:
        for part in parts:
            connection.sendall(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


@contextmanager
def connections(address, count):
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(address, timeout=TIMEOUT_S)) for _ in range(count)
        ]


def request(api, body, path=b"/verify", close=True):
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += b"Authorization: Bearer " + api.key.encode() + b"\r\n"
    head += b"Connection: close\r\n" if close else b""
    return head + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


class TestServer:
    def test_answers_without_saying_what_it_is(self, address):
        answer = httpx.get(f"http://127.0.0.1:{address[1]}/healthz")

        assert answer.status_code == 200
        assert "server" not in answer.headers

    def test_head_leaves_the_connection_usable_and_logs_no_failure(self, sqlite_api, address):
        head = b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

        answer = exchange(address, head, HEALTH)

        assert answer.count(b"HTTP/1.1 200") == 2
        assert answer.endswith(b'{"status":"ok"}')
        assert "http.failed" not in sqlite_api.log.getvalue()

    @pytest.mark.parametrize(
        "garbage",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"\x00" * 1000,
        ],
    )
    def test_garbage_is_a_bad_request_and_no_failure(self, sqlite_api, address, garbage):
        answer = exchange(address, garbage, half_close=True)

        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
        assert exchange(address, HEALTH).startswith(b"HTTP/1.1 200")
        assert "http.failed" not in sqlite_api.log.getvalue()
        assert "Traceback" not in sqlite_api.log.getvalue()

    def test_garbage_after_a_request_does_not_spoil_its_answer(self, sqlite_api, address):
        body = json.dumps(verify_body("nobody", person=1)).encode()

        answer = exchange(
            address, request(sqlite_api, body, close=False) + b"\x00\xff garbage\r\n\r\n", half_close=True
        )

        assert b"HTTP/1.1 5" not in answer
        assert exchange(address, HEALTH).startswith(b"HTTP/1.1 200")
        assert "http.failed" not in sqlite_api.log.getvalue()

    def test_pipelined_requests_are_answered_in_order(self, sqlite_api, address):
        body = json.dumps(verify_body("nobody", person=1)).encode()

        answer = exchange(address, request(sqlite_api, body, close=False) + HEALTH)

        assert answer.index(b"subject_not_found") < answer.index(b'{"status":"ok"}')

    def test_a_body_cut_off_is_no_failure(self, sqlite_api, address):
        cut = request(sqlite_api, b'{"subject_id": "ann"}')[:-5]

        with socket.create_connection(address, timeout=TIMEOUT_S) as connection:
            connection.sendall(cut)

        assert exchange(address, HEALTH).startswith(b"HTTP/1.1 200")
        assert "http.failed" not in sqlite_api.log.getvalue()

    def test_a_body_too_large_is_refused_before_it_is_sent(self, sqlite_api, address):
        head = request(sqlite_api, b"").replace(b"Content-Length: 0", b"Content-Length: 99999999")

        answer = exchange(address, head)

        assert answer.startswith(b"HTTP/1.1 413")

    def test_a_missing_key_is_refused_before_the_body_is_sent(self, address):
        head = b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n"

        answer = exchange(address, head, half_close=True)

        assert answer.startswith(b"HTTP/1.1 401")


class TestHeads:
    """Whoever connects, with an API key or without."""

    def test_one_that_fits_is_read_however_it_is_cut(self, address):
        head = HEALTH.replace(b"Host: x", b"Host: x\r\nX-Long: " + b"a" * 30_000)

        answer = exchange(address, *(head[start : start + 500] for start in range(0, len(head), 500)))

        assert answer.startswith(b"HTTP/1.1 200")

    @pytest.mark.parametrize(
        "headers",
        [b"X-Long: " + b"a" * 33_000, b"\r\n".join([b"X: 1"] * MAX_HEADERS)],
        ids=["too long", "too many"],
    )
    def test_a_complete_one_that_does_not_fit_is_refused(self, address, headers):
        assert exchange(address, HEALTH.replace(b"Host: x", b"Host: x\r\n" + headers)).startswith(
            b"HTTP/1.1 400"
        )

    def test_one_that_does_not_end_is_refused_as_soon_as_it_is_too_long(self, address):
        assert exchange(address, b"GET / HTTP/1.1\r\n", b"X: " + b"a" * 33_000).startswith(b"HTTP/1.1 400")

    def test_a_few_pipelined_are_answered_and_more_are_refused(self, address):
        one = HEALTH.replace(b"Connection: close\r\n", b"")

        assert exchange(address, one * MAX_PIPELINED + HEALTH).count(b"HTTP/1.1 200") == MAX_PIPELINED + 1
        assert b"HTTP/1.1 400" in exchange(address, one * (MAX_PIPELINED + 2))

    @pytest.mark.parametrize("part", [b"", b"GET /healthz HTTP/1.1\r\nHost:", HEALTH.replace(b"close", b"x")])
    def test_a_connection_whose_client_is_silent_is_closed(self, address, part):
        started_s = time.monotonic()

        exchange(address, part)

        assert time.monotonic() - started_s < 3 * CLIENT_TIMEOUT_S

    def test_a_request_that_takes_longer_than_its_head_may_is_answered(self, sqlite_api, address):
        """The client's time is over when the head is complete; what follows has its own limits."""
        body = json.dumps(verify_body("nobody", person=1)).encode()
        whole = request(sqlite_api, body)

        with socket.create_connection(address, timeout=TIMEOUT_S) as connection:
            connection.sendall(whole[:-5])
            time.sleep(1.5 * CLIENT_TIMEOUT_S)
            connection.sendall(whole[-5:])
            answer = connection.recv(65536)

        assert answer.startswith(b"HTTP/1.1 404")

    def test_the_longest_waiting_connection_makes_room_for_another(self, address):
        with connections(address, MAX_CONNECTIONS + 2) as waiting:
            answer = exchange(address, HEALTH)

            assert answer.startswith(b"HTTP/1.1 200")
            for connection in waiting[:3]:
                with contextlib.suppress(ConnectionResetError):
                    assert connection.recv(1) == b""
            for connection in waiting[3:]:
                connection.sendall(HEALTH)
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")

    def test_connections_at_work_are_not_dropped_but_others_refused(self, sqlite_api, address):
        whole = request(sqlite_api, json.dumps(verify_body("nobody", person=1)).encode())
        with connections(address, MAX_CONNECTIONS) as at_work:
            for connection in at_work:
                connection.sendall(whole[:-5])
            time.sleep(0.2)

            refused = exchange(address, HEALTH)

            assert refused.startswith(b"HTTP/1.1 503")
            for connection in at_work:
                connection.sendall(whole[-5:])
                assert connection.recv(65536).startswith(b"HTTP/1.1 404")


class TestRefusedBodies:
    def unsent(self, *headers):
        """The head of a request with a large body and a key nobody has."""
        lines = [b"POST /verify HTTP/1.1", b"Host: x", b"Content-Length: 4000000", *headers]
        return b"\r\n".join([*lines, b"Authorization: Bearer " + UNKNOWN_KEY.encode(), b"", b""])

    def test_a_client_that_sends_before_it_reads_gets_the_answer_and_may_go_on(self, address):
        answer = exchange(address, self.unsent(), b"a" * 4_000_000, HEALTH)

        assert answer.startswith(b"HTTP/1.1 401")
        assert answer.endswith(b'{"status":"ok"}')

    def test_more_than_the_largest_body_is_not_received(self, address):
        endless = self.unsent().replace(b"4000000", b"99999999999")

        with pytest.raises(ConnectionError):
            exchange(address, endless, *[b"a" * 1_048_576] * (2 * MAX_DISCARDED_BYTES // 1_048_576))

    def test_whoever_waits_for_leave_to_send_is_refused_without_it(self, address):
        """Nor is a request taken for the body that was never sent."""
        answer = exchange(address, self.unsent(b"Expect: 100-continue"))

        assert answer.startswith(b"HTTP/1.1 401")
        assert b"100 Continue" not in answer

    def test_whoever_may_send_is_told_so(self, sqlite_api, address):
        body = json.dumps(verify_body("nobody", person=1)).encode()
        head, _, _ = request(sqlite_api, body).partition(b"\r\n\r\n")

        with socket.create_connection(address, timeout=TIMEOUT_S) as connection:
            connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
            leave = connection.recv(65536)
            connection.sendall(body)
            answer = connection.recv(65536)

        assert leave.startswith(b"HTTP/1.1 100")
        assert answer.startswith(b"HTTP/1.1 404")

    def test_bytes_in_flight_are_those_of_chunked_bodies_too(self, sqlite_api, address):
        services = dataclasses.replace(sqlite_api.services, in_flight=BytesInFlight(100_000))
        sqlite_api.app.state.services = services
        whole = request(sqlite_api, b"", close=False)
        head = whole.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        body = [b"8000\r\n" + b"a" * 32_768 + b"\r\n"] * 5

        # The connection stays open and the rest is read: a close would race with what is still being sent.
        answer = exchange(address, head, *body, b"0\r\n\r\n", HEALTH)

        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer.lower()
        assert answer.endswith(b'{"status":"ok"}')
