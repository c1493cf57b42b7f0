"""What the framework does with errors: ours become problems, its own too."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from app.api.errors import PROBLEMS, internal_problem, problem, problem_response
from app.api.parsing import invalid_parameters
from app.api.query import known_parameters
from app.domain.errors import PulseprintError, TemplateIntegrityError
from app.log import place_of

_log = structlog.get_logger("pulseprint.http")

REPORT_EVERY_S: Final = 60.0
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")


async def handle_domain_error(request: Request, error: Exception) -> Response:
    """Errors that we raised."""
    assert isinstance(error, PulseprintError)
    response = problem(error, _transaction_id(request))
    if response.status_code == 500:
        _log.error("http.failed", **place_of(error))
    if isinstance(error, TemplateIntegrityError):
        _report_integrity(error.detail, int(time.monotonic() / REPORT_EVERY_S))
    request.state.code = error.code  # For the request's one line in the log.
    return response


@lru_cache(maxsize=64)
def _report_integrity(reason: str, _: int) -> None:
    """Say once in a while what the operator has to mend: every call fails meanwhile."""
    _log.error("store.not_trusted", reason=reason)


async def handle_validation_error(request: Request, error: Exception) -> Response:
    """Parameters that FastAPI refused; its own answer would quote them."""
    assert isinstance(error, RequestValidationError)
    return await handle_domain_error(request, invalid_parameters(error, known_parameters(request)))


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Errors of the framework: paths and methods that nobody serves."""
    assert isinstance(error, HTTPException)
    transaction_id = _transaction_id(request)
    if error.status_code == 404:
        return problem_response("not_found", "There is nothing at this path.", transaction_id)
    if error.status_code == 405:
        return _method_problem(request, transaction_id)
    if 400 <= error.status_code < 500:
        return problem_response("malformed_payload", PROBLEMS["malformed_payload"].title, transaction_id)
    return internal_problem(transaction_id)


def _method_problem(request: Request, transaction_id: str) -> Response:
    allowed = ", ".join(_allowed_methods(request))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allowed})
    return problem_response(
        "method_not_allowed", f"Allowed here: {allowed}.", transaction_id, headers={"Allow": allowed}
    )


def _allowed_methods(request: Request) -> list[str]:
    """Of all routes at this path; the framework's own answer names those of the first one only."""
    allowed = []
    for method in _METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            allowed.append(method)
    return [*allowed, "HEAD", "OPTIONS"] if "GET" in allowed else [*allowed, "OPTIONS"]


def _transaction_id(request: Request) -> str:
    return str(request.state.transaction_id)
