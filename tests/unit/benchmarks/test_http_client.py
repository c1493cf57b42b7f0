import socket
from threading import Thread

import pytest

from benchmarks.http_client import Connection, request_bytes


def serve(*pieces: bytes) -> int:
    """Answer one request with these pieces of bytes, then close; the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listening, listening.accept()[0] as connection:
            connection.recv(1 << 16)
            for piece in pieces:
                connection.sendall(piece)

    Thread(target=answer, daemon=True).start()
    return int(listening.getsockname()[1])


class TestConnection:
    def test_an_answer_in_pieces_is_put_together(self) -> None:
        port = serve(b"HTTP/1.1 201 Created\r\nContent-", b"Length: 5\r\n\r\nhel", b"lo")

        with Connection(port) as connection:
            answer = connection.exchange(request_bytes("GET", "/"))

        assert answer == (201, b"hello")

    def test_an_answer_without_a_body_ends_with_its_head(self) -> None:
        with Connection(serve(b"HTTP/1.1 204 No Content\r\n\r\n")) as connection:
            assert connection.exchange(request_bytes("DELETE", "/")) == (204, b"")

    def test_a_server_that_goes_away_is_an_error(self) -> None:
        with Connection(serve(b"HTTP/1.1 200 OK\r\n")) as connection, pytest.raises(ConnectionError):
            connection.exchange(request_bytes("GET", "/"))


class TestRequestBytes:
    def test_a_body_is_announced_and_typed(self) -> None:
        request = request_bytes("POST", "/identify", "pp_1_x", b"{}")

        head, _, body = request.partition(b"\r\n\r\n")
        assert body == b"{}"
        assert b"Content-Length: 2" in head
        assert b"Content-Type: application/json" in head
        assert b"Authorization: Bearer pp_1_x" in head
