"""`/healthz`, `/readyz` and `/metrics`: for machines that watch, without an API key; and `/`, for people."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.api.deps import TheServices
from app.api.openapi import problems
from app.api.schemas.health import LivenessAnswer, ReadinessAnswer
from app.domain.errors import TemporaryError

router = APIRouter(tags=["service"])
_PUBLIC: dict[str, list[str]] = {"security": []}  # Said, so that it is no omission.


@router.get("/", include_in_schema=False)
async def index() -> RedirectResponse:
    """The documentation."""
    return RedirectResponse("/docs")


@router.get("/healthz", summary="Is the process alive?", openapi_extra=_PUBLIC)
async def check_liveness() -> LivenessAnswer:
    """Says nothing of the store or the index: a restart would not mend those."""
    return LivenessAnswer(status="ok")


@router.get(
    "/readyz",
    summary="May requests be sent here?",
    responses=problems("index_not_ready", "store_unavailable"),
    openapi_extra=_PUBLIC,
)
async def check_readiness(request: Request, services: TheServices) -> ReadinessAnswer:
    """The index of every worker is built and checked against the database; the last catch-up had no error."""
    if not request.app.state.starts.all_started:
        raise TemporaryError("Other workers are still starting.", code="index_not_ready")
    # Not in the bounded executor: a busy service is ready all the same.
    readiness = services.health.known()
    if readiness is None:
        readiness = await asyncio.to_thread(services.health.readiness)
    if not readiness.ready:
        raise TemporaryError(readiness.detail, code=readiness.code or "index_not_ready")
    return ReadinessAnswer(
        status="ready",
        galleries=readiness.galleries,
        templates=readiness.templates,
        quarantined=readiness.quarantined,
    )


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, services: TheServices) -> Response:
    """Prometheus exposition."""
    queued = services.executor.queued
    content, media_type = await asyncio.to_thread(request.app.state.metrics.render, queued=queued)
    return Response(content, media_type=media_type)
