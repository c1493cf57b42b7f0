"""``GET /models``: which bundles are in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from app.api.calls import Call, DirectRoute, answer, endpoint
from app.api.openapi import operation
from app.api.schemas.lists import NoQuery
from app.api.schemas.models import ModelListAnswer

if TYPE_CHECKING:
    from app.services.idempotency import Rendered

router = APIRouter(tags=["service"], route_class=DirectRoute)


@router.get(
    "/models",
    **operation(summary="List the bundles in use", answer=ModelListAnswer),
)
@endpoint(None)
def list_models(call: Call) -> Rendered:
    """What they are, which are the defaults, how well they were measured, what they were made from."""
    call.query(NoQuery)
    return answer(ModelListAnswer.of(call.services.encoders, call.services.recogniser))
