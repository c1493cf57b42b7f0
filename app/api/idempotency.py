"""`Idempotency-Key`: the same request again gets the stored answer."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response

from app.api.deps import services_of
from app.api.schemas.base import OrAbsent
from app.api.security import Caller
from app.domain.errors import Fault, UnprocessableError
from app.services.idempotency import IdempotentRequest, Rendered

HEADER: Final = "Idempotency-Key"
MAX_CHARS: Final = 255
# Documented only: _checked() answers in our words, also to a repeated header.
_KEY_SCHEMA: Final = {
    "minLength": 1, "maxLength": MAX_CHARS, "pattern": "^[ -~]+$", "examples": ["enroll-2026-11-20-0001"],
}  # fmt: skip


async def _idempotent(
    request: Request,
    caller: Caller,
    key: Annotated[
        OrAbsent[str],
        Header(
            alias=HEADER,
            description="Repeat a request with the same key and body, and get the stored answer (24 h).",
            json_schema_extra=_KEY_SCHEMA,
        ),
    ] = None,
) -> IdempotentRequest | None:
    """What makes a repetition of this request the same one, if the client asked for that.

    Raises:
        UnprocessableError: The key is not 1 to 255 printable ASCII characters, or given twice.
    """
    if key is None:
        return None
    key = _checked(request.headers.getlist(HEADER))
    # Declare the body before this, or there are no bytes yet, which is an error.
    body = b"" if request.method == "DELETE" else request.state.raw_body
    method, path = request.method, request.scope["path"]
    digest = await services_of(request).executor.run(
        lambda: _digest(method.encode(), path.encode(), request.scope["query_string"], body)
    )
    return IdempotentRequest(client_id=caller.id, method=method, path=path, key=key, body_sha256=digest)


Idempotent = Annotated[IdempotentRequest | None, Depends(_idempotent)]


def response_of(answer: Rendered) -> Response:
    """A new answer as it was stored, or an old one as it is: the same bytes each time."""
    media_type = "application/json" if answer.body else None
    return Response(answer.body or None, answer.status, media_type=media_type)


def _checked(keys: list[str]) -> str:
    if len(keys) == 1 and 1 <= len(keys[0]) <= MAX_CHARS and all(" " <= char <= "~" for char in keys[0]):
        return keys[0]
    detail = "Expected one Idempotency-Key of 1 to 255 printable ASCII characters."
    raise UnprocessableError(detail, faults=[Fault("", "invalid_request", detail)])


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
