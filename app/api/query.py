"""Query parameters that a route does not know."""

from __future__ import annotations

from fastapi import Request

from app.api.parsing import unknown_field
from app.domain.errors import Fault, UnprocessableError


async def refuse_stray_query(request: Request) -> None:
    """Refuse what FastAPI lets pass: it keeps the last of repeated parameters, and ignores unknown ones.

    Unknown ones beside known ones are refused by the closed schema of those.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        raise UnprocessableError("A query parameter is given twice.")
    if names and not request.scope["route"].dependant.query_params:
        fault = Fault("", "invalid_request", unknown_field(names[0], ()))
        raise UnprocessableError("The query breaks the contract.", faults=[fault])


def known_parameters(request: Request) -> list[str]:
    """Names of the query parameters of the route, which are the fields of a schema."""
    declared = request.scope["route"].dependant.query_params
    return [name for one in declared for name in one.field_info.annotation.model_fields]
