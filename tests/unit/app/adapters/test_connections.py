"""Whose turn it is on a connection, and what happens when it is over; more in tests/api/test_server.py."""

import asyncio

import uvicorn
from uvicorn.server import ServerState

from app.adapters.connections import BoundedHttpProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLIENT_TIMEOUT_S = 0.02


class FakeTransport:
    """Of a client that takes as much as the test lets it."""

    def __init__(self):
        self.aborted = False

    def get_extra_info(self, name):
        return None

    def is_closing(self):
        return self.aborted

    def abort(self):
        self.aborted = True

    def write(self, data):
        pass


async def answer_at_length(scope, receive, send):
    """An answer that takes longer than a client has time."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(3 * CLIENT_TIMEOUT_S)
    await send({"type": "http.response.body", "body": b"x"})


def is_cut_off(*events):
    """Whether the connection is aborted while its request is answered, if this happens to the protocol."""

    async def run():
        config = uvicorn.Config(answer_at_length, lifespan="off", log_config=None)
        protocol = BoundedHttpProtocol(
            config, ServerState(), {}, max_connections=1, client_timeout_s=CLIENT_TIMEOUT_S
        )
        transport = FakeTransport()
        protocol.connection_made(transport)
        protocol.data_received(REQUEST)
        for event in events:
            getattr(protocol, event)()
        await asyncio.sleep(2 * CLIENT_TIMEOUT_S)
        cut_off = transport.aborted
        protocol.connection_lost(RuntimeError())
        await asyncio.gather(*protocol.tasks)
        return cut_off

    return asyncio.run(run())


class TestTurns:
    def test_the_client_is_not_waited_for_while_its_request_is_answered(self):
        assert not is_cut_off()

    def test_a_client_that_does_not_take_its_answer_is_cut_off(self):
        assert is_cut_off("pause_writing")

    def test_a_client_that_takes_it_again_is_not(self):
        assert not is_cut_off("pause_writing", "resume_writing")
