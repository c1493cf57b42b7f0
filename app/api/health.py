"""``/healthz``, ``/readyz`` and ``/metrics``: for machines that watch, without an API key."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.openapi import operation
from app.api.schemas.health import LivenessAnswer, ReadinessAnswer
from app.domain.errors import TemporaryError

router = APIRouter(tags=["service"])


@router.get("/healthz", **operation(summary="Is the process alive?", answer=LivenessAnswer, public=True))
async def healthz(_: Request) -> Response:
    """Says nothing of the store or the index: a restart would not mend those."""
    return Response(LivenessAnswer(status="ok").to_bytes(), media_type="application/json")


@router.get(
    "/readyz",
    **operation(
        summary="May requests be sent here?",
        answer=ReadinessAnswer,
        codes=("index_not_ready", "store_unavailable"),
        public=True,
    ),
)
async def readyz(request: Request) -> Response:
    """The index is built and checked against the database, and its last catch-up had no error."""
    # Not in the bounded executor: a busy service is ready all the same.
    readiness = await asyncio.to_thread(request.app.state.services.health.readiness)
    if not readiness.ready:
        raise TemporaryError(readiness.detail, code=readiness.code or "index_not_ready")
    body = ReadinessAnswer(status="ready", galleries=readiness.galleries, templates=readiness.templates)
    return Response(body.to_bytes(), media_type="application/json")


@router.get(
    "/metrics",
    include_in_schema=False,
)
async def metrics(request: Request) -> Response:
    """Prometheus exposition."""
    queued = request.app.state.services.executor.queued
    content, media_type = await asyncio.to_thread(request.app.state.metrics.render, queued=queued)
    return Response(content, media_type=media_type)
