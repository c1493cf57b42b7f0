"""The application behind the real server: uvicorn with httptools, on a socket, fed with garbage."""

import asyncio
import json
import socket
import threading
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from tests.factories import verify_body

TIMEOUT_S = 20.0
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def serving(app):
    """The address of a server of its own; the socket listens before the server runs, so nobody waits."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="none", lifespan="off", log_config=None,
        access_log=False, server_header=False,
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

        answer = exchange(address, head, half_close=True)

        assert answer.startswith(b"HTTP/1.1 413")

    def test_a_missing_key_is_refused_before_the_body_is_sent(self, address):
        head = b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n"

        answer = exchange(address, head, half_close=True)

        assert answer.startswith(b"HTTP/1.1 401")
