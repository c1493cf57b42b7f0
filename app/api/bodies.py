"""JSON bodies: `body: Annotated[VerifyBody, Depends(JsonBody(VerifyBody))]`.

FastAPI would read a body of any size, before the dependencies and so before the API key is checked, and
quote it in its errors. So bodies are a dependency here: read for a known caller, counted and timed, and
validated from the bytes (240 000 numbers take 11 ms so, and 47 ms by way of Python objects).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Final, Generic, TypeVar

from fastapi import Request

from app.api.content import check_media_type, gunzip, is_gzip
from app.api.deps import services_of
from app.api.in_flight import BodyInFlight
from app.api.limits import Limits
from app.api.pace import Pace
from app.api.parsing import parse_body
from app.api.schemas.base import RequestSchema
from app.api.security import Caller
from app.domain.errors import RequestError

S = TypeVar("S", bound=RequestSchema)

ADMISSION_LASTS_S: Final = 1.0
WITH_RECORDINGS: Final = attrgetter("max_enroll_body_bytes")
"""A probe may be as large as an enrollment."""


class JsonBody(Generic[S]):
    """Dependency: the validated body of a request; its bytes stay in `request.state.raw_body`.

    Args:
        schema: What the body must be.
        max_bytes: How large it may be, by the limits of the service.
    """

    def __init__(
        self, schema: type[S], max_bytes: Callable[[Limits], int] = attrgetter("max_body_bytes")
    ) -> None:
        self.schema = schema
        self._max_bytes = max_bytes

    async def __call__(self, request: Request, _: Caller) -> AsyncIterator[S]:
        """Yields instead of returning: the bytes count as in flight until the answer is sent."""
        services = services_of(request)
        max_bytes = self._max_bytes(services.limits)
        check_media_type(request)
        gzipped = is_gzip(request)
        _check_announced_length(request, max_bytes)
        with services.in_flight.body() as in_flight:
            started_s = time.perf_counter()
            body = await _read(request, max_bytes, in_flight)
            request.state.complete_s = time.perf_counter()
            took_long = request.state.complete_s - started_s >= ADMISSION_LASTS_S
            if gzipped:
                coded = body
                body = await services.executor.run(lambda: gunzip(coded, max_bytes))
                in_flight.grow(len(body))
            request.state.raw_body = body

            def parse() -> S:
                if took_long:  # A key that was revoked while its body trickled in is good for nothing.
                    services.access.authenticate(request.headers["authorization"])
                return parse_body(self.schema, body)

            yield await services.executor.run(parse)


def _check_announced_length(request: Request, max_bytes: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise _too_large(max_bytes)


async def _read(request: Request, max_bytes: int, in_flight: BodyInFlight) -> bytes:
    """The whole body, as it was sent.

    Raises:
        RequestError: `payload_too_large`, or `request_timeout` if it came too slowly.
        TemporaryError: The bodies of all requests together are too large, or too many of them slow.
        ClientDisconnect: The client went away.
    """
    services, clock = services_of(request), asyncio.get_running_loop().time
    chunks: list[bytes] = []
    with Pace(services.limits, services.slow_bodies, clock()) as pace:
        try:
            async with asyncio.timeout_at(pace.deadline_s(0, clock())) as timeout:
                async for chunk in request.stream():
                    in_flight.grow(len(chunk))
                    if in_flight.n_bytes > max_bytes:
                        raise _too_large(max_bytes)
                    chunks.append(chunk)
                    timeout.reschedule(pace.deadline_s(in_flight.n_bytes, clock()))
        except TimeoutError:
            raise RequestError(pace.rule, code="request_timeout") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(f"A body holds at most {max_bytes} bytes.", code="payload_too_large")
