"""What a connection may cost before anybody has shown an API key.

uvicorn's protocol with httptools bounds neither the head of a request nor the time that it takes, and holds
connections that say nothing for ever. So this one waits for a client for a limited time, reads a limited
number of bytes meanwhile, and when there are too many connections drops the one it has waited for longest.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 32 * 1024
MAX_HEADERS: Final = 100
# Requests sent ahead of answers wait as objects, a hundred times as large as their bytes.
MAX_PIPELINED: Final = 16
# The rest of a refused body is read and thrown away: clients that send before they read would miss the
# answer, and a reset would break their next request. It takes no memory, so this is far above honest bodies.
MAX_DISCARDED_BYTES: Final = 64 * 1024 * 1024


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection of uvicorn, with a deadline whenever it is the client's turn.

    It is the client's turn until a head is complete, after the answer to it, and while an answer is not
    taken. A connection with a deadline is one that may be dropped for another.
    """

    def __init__(self, *args: Any, max_connections: int, client_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._max_connections = max_connections
        self._client_timeout_s = client_timeout_s
        self._deadline: asyncio.TimerHandle | None = None
        self._framing_bytes = 0
        self._discarded_bytes = 0
        self._got_on = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_client()
        if len(self.connections) > self._max_connections:
            self._drop_longest_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # Counted here: the parser keeps an unfinished header and copies all of it for every part that comes.
        self._got_on = False
        if self.cycle is not None and self.cycle.response_complete:
            self._discarded_bytes += len(data)
        super().data_received(data)
        self._framing_bytes = 0 if self._got_on else self._framing_bytes + len(data)
        if self.transport.is_closing():
            return
        if self._framing_bytes > MAX_HEAD_BYTES or len(self.headers or ()) > MAX_HEADERS:
            self.send_400_response("The head or the framing of the request is too long.")
        elif self._discarded_bytes > MAX_DISCARDED_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS or len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too much")  # Which httptools reports as a parser's error, and uvicorn as a 400.
        self._got_on = True
        self._discarded_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._got_on = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        others_wait = bool(self.pipeline)
        super().on_response_complete()
        if others_wait:
            return
        self._wait_for_client()
        self.cycle.body = bytearray()  # What came of a refused body would stay as long as the connection.
        if self.cycle.more_body and self.expect_100_continue:
            # Nobody can know whether the body or another request comes next (RFC 9110 §10.1.1).
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        self._wait_for_client()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_client()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def _wait_for_client(self) -> None:
        self._stop_waiting()
        # Not close(): that waits for a client who does not take what is still to be sent.
        self._deadline = self.loop.call_later(self._client_timeout_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop_longest_waiting(self) -> None:
        """If no other waits, all are at work; then uvicorn's `limit_concurrency` answers 503."""
        waiting = {
            connection: connection._deadline.when()
            for connection in self.connections
            if isinstance(connection, BoundedHttpProtocol)
            and connection is not self
            and connection._deadline is not None
        }
        if waiting:
            longest = min(waiting, key=waiting.__getitem__)
            self.connections.discard(longest)
            longest.transport.abort()
