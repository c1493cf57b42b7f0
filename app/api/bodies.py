"""Reading a request's body: counted, timed, and only if it says that it is JSON."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

from app.api.in_flight import BodyInFlight
from app.domain.errors import RequestError

_JSON_PARAMETERS: Final = ("", "charset=utf-8", 'charset="utf-8"')


async def read_json_body(
    request: Request, *, max_bytes: int, timeout_s: float, in_flight: BodyInFlight
) -> bytes:
    """The whole body.

    Raises:
        RequestError: ``unsupported_media_type``, ``payload_too_large``, or ``request_timeout`` if the
            body was not complete in time.
        TemporaryError: The bodies of all requests together are too large.
        ClientDisconnect: The client went away.
    """
    _check_media_type(request)
    _check_announced_length(request, max_bytes)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request, max_bytes, in_flight)
    except TimeoutError:
        raise RequestError(f"The body must arrive within {timeout_s:g} s.", code="request_timeout") from None


def _check_media_type(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    is_json = media_type.strip().lower() == "application/json"
    if not is_json or parameters.strip().lower() not in _JSON_PARAMETERS:
        raise RequestError("Send the body as application/json.", code="unsupported_media_type")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise RequestError("Send the body without a content coding.", code="unsupported_media_type")


def _check_announced_length(request: Request, max_bytes: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise _too_large(max_bytes)


async def _read(request: Request, max_bytes: int, in_flight: BodyInFlight) -> bytes:
    chunks: list[bytes] = []
    async for chunk in request.stream():
        in_flight.grow(len(chunk))
        if in_flight.n_bytes > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(f"A body holds at most {max_bytes} bytes.", code="payload_too_large")
