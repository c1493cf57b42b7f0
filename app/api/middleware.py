"""Around every request: its id, its headers, its line in the log, and the last resort."""

from __future__ import annotations

import time
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.deps import Metrics
from app.api.errors import internal_problem
from app.domain.identifiers import new_id
from app.log import REQUEST_ID, place_of

_log = structlog.get_logger("pulseprint.http")

_HEADERS: Final = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
NO_ROUTE: Final = "unmatched"  # Paths nobody serves are one label, or anyone could invent labels.
CLIENT_GONE: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
# What routes and handlers leave in the request's state for its line in the log.
_LOGGED: Final = ("client_id", "code", "decision")
# Health checks come every few seconds; they are counted, and logged at debug only.
_QUIET_ROUTES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestMiddleware:
    """Pure ASGI, so that it costs microseconds and sees every byte go out."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Exchange(self._app, self._metrics, scope, send).run(receive)


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics, scope: Scope, send: Send) -> None:
        self._app = app
        self._metrics = metrics
        self._scope = scope
        self._send = send
        self._status = 0
        self._method: str = scope["method"]
        self._transaction_id = str(new_id())

    async def run(self, receive: Receive) -> None:
        started_s = time.perf_counter()
        self._scope.setdefault("state", {})["transaction_id"] = self._transaction_id
        if self._method == "HEAD":  # Same head; _send_on() drops the body. The server keeps its own scope.
            self._scope = {**self._scope, "method": "GET"}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**{REQUEST_ID: self._transaction_id})
        try:
            await self._app(self._scope, receive, self._send_on)
        except ClientDisconnect:
            self._status = self._status or CLIENT_GONE
        except Exception as error:
            _log.error("http.failed", **place_of(error))
            if not self._status:
                response = internal_problem(self._transaction_id)
                await response(self._scope, receive, self._send_on)
        finally:
            self._report(time.perf_counter() - started_s)

    async def _send_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS:
                headers.setdefault(name, value)
            headers["x-request-id"] = self._transaction_id
        elif message["type"] == "http.response.body" and self._method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def _report(self, seconds: float) -> None:
        route = getattr(self._scope.get("route"), "path", NO_ROUTE)
        method = self._method if self._method in _METHODS else "OTHER"
        self._metrics.request_finished(method=method, route=route, status=self._status, seconds=seconds)
        noted = {name: self._scope["state"][name] for name in _LOGGED if name in self._scope["state"]}
        log = _log.debug if route in _QUIET_ROUTES else _log.info
        ms = round(seconds * 1e3, 2)
        log("http.answered", method=method, route=route, status=self._status, ms=ms, **noted)
