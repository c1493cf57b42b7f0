"""Reading a request's body: counted, timed, and only if it says that it is JSON."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

from app.api.deps import Limits
from app.domain.errors import RequestError

_JSON_PARAMETERS: Final = ("", "charset=utf-8", 'charset="utf-8"')


async def read_json_body(request: Request, limits: Limits) -> bytes:
    """The whole body.

    Raises:
        RequestError: ``unsupported_media_type``, ``payload_too_large``, or ``request_timeout`` if the
            body was not complete in time.
        ClientDisconnect: The client went away.
    """
    _check_media_type(request)
    _check_announced_length(request, limits)
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            return await _read(request, limits)
    except TimeoutError:
        raise RequestError(
            f"The body must arrive within {limits.body_timeout_s:g} s.", code="request_timeout"
        ) from None


def _check_media_type(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    is_json = media_type.strip().lower() == "application/json"
    if not is_json or parameters.strip().lower() not in _JSON_PARAMETERS:
        raise RequestError("Send the body as application/json.", code="unsupported_media_type")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise RequestError("Send the body without a content coding.", code="unsupported_media_type")


def _check_announced_length(request: Request, limits: Limits) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limits.max_body_bytes:
        raise _too_large(limits)


async def _read(request: Request, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    n_bytes = 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > limits.max_body_bytes:
            raise _too_large(limits)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limits: Limits) -> RequestError:
    return RequestError(f"A body holds at most {limits.max_body_bytes} bytes.", code="payload_too_large")
