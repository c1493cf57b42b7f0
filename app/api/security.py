"""Who is calling: routes declare `dependencies=allowed(Scope.…)`, and take a `Caller` if they need one.

FastAPI solves the dependencies of a decorator before all others, so that the key and its scope are checked
before a byte of the body is read.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPBearer, SecurityScopes

from app.api.deps import services_of
from app.api.query import refuse_stray_query
from app.domain.errors import InvalidCredentialsError
from app.domain.subjects import ApiClient, Scope
from app.services.access import require

MAX_AUTHORIZATION_CHARS = 512
_BEARER = re.compile(r"^Bearer +pp_[A-Za-z0-9]+_[A-Za-z0-9_-]+\Z", re.IGNORECASE)


class ApiKeyScheme(HTTPBearer):
    """FastAPI's bearer scheme, stricter: one header only, in the form of our keys."""

    async def __call__(self, request: HTTPConnection) -> str:  # type: ignore[override]
        """The Authorization header.

        Raises:
            InvalidCredentialsError: Absent, repeated, or of another form.
        """
        values = request.headers.getlist("authorization")
        if len(values) != 1 or len(values[0]) > MAX_AUTHORIZATION_CHARS or not _BEARER.match(values[0]):
            raise InvalidCredentialsError("Send one header 'Authorization: Bearer pp_<id>_<secret>'.")
        return values[0]


api_key = ApiKeyScheme(
    scheme_name="apiKey",
    bearerFormat="pp_<id>_<secret>",
    description=(
        "Send an API key with every request: `Authorization: Bearer pp_<id>_<secret>`.\n\n"
        "The operator makes one with "
        "`python -m app.cli keys create --name NAME --scopes enroll,verify,identify --galleries default`; "
        "it is shown once. "
        "Each operation names the scope that its key needs."
    ),
)


async def authenticate(
    request: Request, authorization: Annotated[str, Security(api_key)], scopes: SecurityScopes
) -> None:
    """Let the caller in, if its key is valid and holds all scopes of the route."""
    services = services_of(request)

    def admit() -> ApiClient:
        caller = services.access.authenticate(authorization)
        request.state.client_id = caller.id  # For the log, refused or not.
        for scope in scopes.scopes:
            require(caller, Scope(scope))
        return caller

    request.state.caller = await services.executor.run(admit)


async def _caller(request: Request) -> ApiClient:
    caller: ApiClient = request.state.caller  # Fails, and so closed, on a route without allowed().
    return caller


Caller = Annotated[ApiClient, Depends(_caller)]


def allowed(*scopes: Scope) -> list[Any]:
    """Dependencies of a route that needs an API key with these scopes; any valid key if none is named."""
    return [Security(authenticate, scopes=[*scopes]), Depends(refuse_stray_query)]
