"""`serve` and `healthcheck`: run the service in one process or several."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import Any

import typer

from app.config import Settings, load_settings
from app.core_files import forbid_core_files
from app.domain.errors import ConfigurationError
from app.loading import loading

HEALTHCHECK_TIMEOUT_S = 5
LISTEN_BACKLOG = 2048
OTHER_FILES = 256  # Database, models, logs, metrics.


def serve() -> None:
    """Answer HTTP until stopped."""
    settings = load_settings()
    from app.log import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    forbid_core_files()
    _refuse_taken_port(settings)
    _allow_open_files(settings)
    if settings.workers == 1:
        _serve_here(settings)
    else:
        _serve_many(settings)


def healthcheck() -> None:
    """Exit 0 if the service on PULSEPRINT_PORT is ready, else 1."""
    import urllib.request

    url = f"http://127.0.0.1:{load_settings().port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=HEALTHCHECK_TIMEOUT_S) as answer:
            ready = answer.status == 200
    except OSError as error:
        typer.echo(f"not ready: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if ready else 1)


def _refuse_taken_port(settings: Settings) -> None:
    """Say so in one line, before anything is loaded."""
    if settings.port == 0:
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}."
            ) from None


def _allow_open_files(settings: Settings) -> None:
    """Room for all connections, and for those still in the queue when one is accepted."""
    if sys.platform == "win32":
        return
    import resource

    wanted = settings.max_connections + LISTEN_BACKLOG + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _serve_here(settings: Settings) -> None:
    # Once it has shut down, uvicorn raises the signal again; its default would end us before we clean up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        with loading():
            import uvicorn

            from app.bootstrap import open_services
            from app.main import create_app

            app = create_app(settings, stack.enter_context(open_services(settings)))
        if sys.stdout.isatty():  # For people; everybody else reads the log.
            typer.echo(f"Pulseprint at http://{settings.host}:{settings.port}/docs – Ctrl-C stops it.")
        uvicorn.run(app, **_uvicorn_options(settings))


def _serve_many(settings: Settings) -> None:
    """Several processes; what would stop each of them is checked here first, to be said once."""
    import uvicorn

    from app.bootstrap import check_settings

    check_settings(settings)
    with tempfile.TemporaryDirectory(prefix="pulseprint-workers-") as folder:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)  # Before prometheus_client is imported.
        os.environ["PULSEPRINT_WORKER_STARTS"] = folder
        uvicorn.run(
            "app.main:create_worker_app", factory=True, workers=settings.workers, **_uvicorn_options(settings)
        )


def _uvicorn_options(settings: Settings) -> dict[str, Any]:
    http: object = "auto"
    if sys.platform != "win32":
        from app.adapters.connections import BoundedHttpProtocol

        # Not a closure: workers are other processes, and get it pickled.
        http = partial(
            BoundedHttpProtocol,
            max_connections=settings.max_connections,
            client_timeout_s=settings.client_timeout_s,
        )
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop" if sys.platform != "win32" else "auto",
        "http": http,
        "ws": "none",
        "backlog": LISTEN_BACKLOG,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
        # Reached only when every connection is at work; of those that wait, one is dropped instead.
        "limit_concurrency": settings.max_connections + 1,
    }
