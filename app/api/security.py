"""Who is calling: the API key in the Authorization header."""

from __future__ import annotations

import re

from starlette.requests import Request

from app.domain.errors import InvalidCredentialsError

MAX_AUTHORIZATION_CHARS = 512
_BEARER = re.compile(r"^Bearer +pp_[A-Za-z0-9]+_[A-Za-z0-9_-]+\Z", re.IGNORECASE)


def authorization_of(request: Request) -> str:
    """The Authorization header, if it looks like an API key: asked before a byte of the body is read.

    Raises:
        InvalidCredentialsError: Absent, repeated, or of another form.
    """
    values = request.headers.getlist("authorization")
    if len(values) != 1 or len(values[0]) > MAX_AUTHORIZATION_CHARS or not _BEARER.match(values[0]):
        raise InvalidCredentialsError("Send one header 'Authorization: Bearer pp_<id>_<secret>'.")
    return values[0]
