"""`GET /models`: which bundles are in use."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.deps import TheServices
from app.api.openapi import WITH_KEY, problems
from app.api.schemas.models import ModelListAnswer
from app.api.security import allowed

router = APIRouter(tags=["service"])


@router.get(
    "/models",
    summary="List the bundles in use",
    dependencies=allowed(),
    responses=problems(*WITH_KEY),
)
async def list_models(services: TheServices) -> ModelListAnswer:
    """What they are, which are the defaults, how well they were measured, what they were made from."""
    return ModelListAnswer.of(services.encoders, services.recognizer, services.fusion)
