"""Query parameters that a route does not know."""

from __future__ import annotations

from fastapi import Request

from app.api.parsing import UNKNOWN_FIELD
from app.domain.errors import Fault, UnprocessableError


async def refuse_stray_query(request: Request) -> None:
    """Refuse what FastAPI lets pass: it keeps the last of repeated parameters, and ignores unknown ones.

    Unknown ones beside known ones are refused by the closed schema of those.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        raise UnprocessableError("A query parameter is given twice.")
    if names and not request.scope["route"].dependant.query_params:
        fault = Fault("", "invalid_request", UNKNOWN_FIELD)
        raise UnprocessableError("The query breaks the contract.", faults=[fault])
