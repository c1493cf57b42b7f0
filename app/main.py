"""The application: routers, error handlers, middleware, and nothing else."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from app.adapters.metrics import PrometheusMetrics, forget_worker
from app.api import docs_page
from app.api.deps import Services
from app.api.handlers import handle_domain_error, handle_http_exception, handle_validation_error
from app.api.middleware import RequestMiddleware
from app.api.openapi import DESCRIPTION, TAGS, DocumentedApi
from app.api.routes import (
    activity,
    enroll,
    galleries,
    health,
    identify,
    models,
    quality,
    subjects,
    verify,
)
from app.config import Settings, load_settings
from app.core_files import forbid_core_files
from app.domain.errors import PulseprintError, TemporaryError
from app.loading import loading
from app.log import configure_logging
from app.worker_starts import WorkerStarts, start_again

RELEASE = "2026.12.0"

VERBS = (enroll.router, verify.router, identify.router, activity.router)
OTHERS = (quality.router, subjects.router, galleries.router, models.router, health.router, docs_page.router)

# API keys are sent by the page itself: no cookie or other credential of the browser counts.
CORS: Final[dict[str, Any]] = {
    "allow_methods": ("GET", "POST", "PUT", "DELETE"),
    "allow_headers": ("Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"),
    "expose_headers": ("X-Request-ID", "Retry-After"),
    "max_age": 3600,
}


def create_app(
    settings: Settings | None = None, services: Services | None = None, starts: WorkerStarts | None = None
) -> FastAPI:
    """Build the application.

    Args:
        settings: Read from the environment at start-up if absent; without them no page of another origin is
            let in.
        services: Already open services, which the caller closes; opened by the lifespan if absent.
        starts: Of the processes that this is one of, if there are several.
    """
    starts = starts or WorkerStarts(None, 1)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if services is not None:
            app.state.services = services
            yield
            return
        forbid_core_files()
        chosen = settings or load_settings()
        configure_logging(chosen.log_level, chosen.log_format)  # A worker process starts without.
        with ExitStack() as stack:
            with loading():
                app.state.services = _opened(stack, chosen, starts)
            starts.add()
            yield
        forget_worker(os.getpid())

    app = DocumentedApi(
        title="Pulseprint",
        version=RELEASE,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "Where this document came from."}],
        openapi_tags=TAGS,
        lifespan=lifespan,
        exception_handlers={
            PulseprintError: handle_domain_error,
            RequestValidationError: handle_validation_error,
            HTTPException: handle_http_exception,
        },
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.metrics = PrometheusMetrics()
    app.state.starts = starts
    for router in VERBS:
        app.include_router(router)
        app.include_router(router, prefix="/v1", include_in_schema=False)
    for router in OTHERS:
        app.include_router(router)
    origins = settings.allowed_origins if settings else []
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=origins, **CORS)
    # The outermost: it counts preflights too.
    app.add_middleware(RequestMiddleware, metrics=app.state.metrics)
    return app


def create_worker_app() -> FastAPI:
    """The application of one of several processes, by its environment."""
    settings = load_settings()
    return create_app(settings, starts=WorkerStarts.of_environment(settings.workers))


def _opened(stack: ExitStack, settings: Settings, starts: WorkerStarts) -> Services:
    from app.bootstrap import open_services  # The adapters load only where they are needed.

    try:
        return stack.enter_context(open_services(settings))
    except TemporaryError as error:
        if starts.is_worker:
            start_again(error)
        raise
