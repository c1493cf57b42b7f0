"""`Idempotency-Key`: the same request again gets the stored answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response

from app.api.deps import services_of
from app.api.schemas.base import OrAbsent
from app.api.security import Caller
from app.domain.errors import UnprocessableError
from app.services.idempotency import IdempotentRequest, Rendered

HEADER: Final = "Idempotency-Key"


async def _idempotent(
    request: Request,
    caller: Caller,
    key: Annotated[
        OrAbsent[str],
        Header(
            alias=HEADER,
            min_length=1,
            max_length=255,
            pattern="^[ -~]+$",
            description="Repeat a request with the same key and body, and get the stored answer (24 h).",
            examples=["enroll-2026-11-20-0001"],
        ),
    ] = None,
) -> IdempotentRequest | None:
    """What makes a repetition of this request the same one, if the client wants that.

    Raises:
        UnprocessableError: The header is repeated, of which FastAPI would take the first.
    """
    if key is None:
        return None
    if len(request.headers.getlist(HEADER)) > 1:
        raise UnprocessableError("Send one Idempotency-Key.")
    method, path = request.method, request.scope["path"]
    # Declare the body before this, or there are no bytes yet, which is an error.
    body = b"" if method == "DELETE" else request.state.raw_body
    parts = (method.encode(), path.encode(), request.scope["query_string"], body)
    digest = await services_of(request).executor.run(lambda: _digest(parts))
    return IdempotentRequest(client_id=caller.id, method=method, path=path, key=key, body_sha256=digest)


Idempotent = Annotated[IdempotentRequest | None, Depends(_idempotent)]


def response_of(answer: Rendered) -> Response:
    """A new answer as it was stored, or an old one as it is: the same bytes each time."""
    media_type = "application/json" if answer.body else None
    return Response(answer.body or None, answer.status, media_type=media_type)


def _digest(parts: Sequence[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
