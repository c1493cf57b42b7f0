"""From a request to its answer with as few hops to a thread as possible.

A route is a blocking function ``Call → Rendered``. ``endpoint()`` makes the asynchronous function that
FastAPI serves of it: check the API key in the executor, read the body on the event loop, do all the rest in
the executor; without a body that is one hop. A route that may take seconds is a generator and yields between
pieces of work: others get their turn there, and the work ends if the client went away.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.api.bodies import read_json_body
from app.api.deps import Limits, Metrics, Services
from app.api.parsing import parse_body, parse_query
from app.api.schemas.base import RequestSchema, ResponseSchema
from app.api.schemas.lists import NoQuery
from app.api.security import authorization_of
from app.domain.activity import Pieces
from app.domain.errors import Fault, NotFoundError, UnprocessableError
from app.domain.scores import Decision
from app.domain.subjects import ApiClient, Scope, is_name
from app.services.access import require
from app.services.idempotency import IdempotentRequest, Rendered

IDEMPOTENCY_HEADER: Final = "idempotency-key"
MAX_IDEMPOTENCY_KEY_CHARS: Final = 255
ADMISSION_LASTS_S: Final = 1.0

S = TypeVar("S", bound=RequestSchema)
Handler = Callable[["Call"], Rendered | Pieces[Rendered]]
Route = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, repr=False)
class Call:
    """One authenticated request; lives in a thread of the executor."""

    services: Services
    metrics: Metrics
    caller: ApiClient
    request: Request
    raw_body: bytes
    started_s: float

    def __repr__(self) -> str:
        return f"Call({self.request.method})"

    @property
    def transaction_id(self) -> str:
        return str(self.request.state.transaction_id)

    def processing_ms(self) -> float:
        """Since the request was complete."""
        return round((time.perf_counter() - self.started_s) * 1e3, 3)

    def decided(self, use_case: str, decision: Decision) -> None:
        """Count a decision, and put it into the request's line in the log."""
        self.metrics.decided(use_case=use_case, decision=decision.value)
        self.request.state.decision = decision.value

    def body(self, schema: type[S]) -> S:
        return parse_body(schema, self.raw_body)

    def query(self, schema: type[S]) -> S:
        text = self.request.scope["query_string"].decode("latin-1")
        return parse_query(schema, parse_qsl(text, keep_blank_values=True) if text else ())

    def path_name(self, parameter: str, absent: type[NotFoundError], detail: str) -> str:
        """A name in the path; what cannot be one cannot be found either."""
        name = str(self.request.path_params[parameter])
        if not is_name(name):
            raise absent(detail)
        return name

    def idempotent(self) -> IdempotentRequest | None:
        """What makes a repetition of this request the same one, if the client asked for that.

        Raises:
            UnprocessableError: The key is not 1 to 255 printable ASCII characters, or given twice.
        """
        keys = self.request.headers.getlist(IDEMPOTENCY_HEADER)
        if not keys:
            return None
        key = keys[0]
        if len(keys) > 1 or not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_CHARS or not _is_printable_ascii(key):
            detail = "Expected one Idempotency-Key of 1 to 255 printable ASCII characters."
            raise UnprocessableError(detail, faults=[Fault("", "invalid_request", detail)])
        path: str = self.request.scope["path"]
        method: str = self.request.method
        return IdempotentRequest(
            client_id=self.caller.id,
            method=method,
            path=path,
            key=key,
            body_sha256=self._digest(method, path),
        )

    def _digest(self, method: str, path: str) -> bytes:
        parts = (method.encode(), path.encode(), self.request.scope["query_string"], self.raw_body)
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


class DirectRoute(APIRoute):
    """Takes the request to its endpoint as it is: FastAPI has nothing to parse, solve or serialise."""

    def get_route_handler(self) -> Route:
        handler: Route = self.endpoint
        return handler


def answer(schema: ResponseSchema, status: int = 200) -> Rendered:
    """The answer of a route."""
    return Rendered(status, schema.to_bytes())


def endpoint(
    scope: Scope | None,
    *,
    reads_body: bool = False,
    max_body_bytes: Callable[[Limits], int] = attrgetter("max_body_bytes"),
) -> Callable[[Handler], Route]:
    """Make a route of a handler.

    Args:
        scope: What the caller must be allowed; None: any valid key.
        reads_body: Whether the call has a JSON body.
        max_body_bytes: How large that may be.
    """

    def decorate(handler: Handler) -> Route:
        async def route(request: Request) -> Response:
            services: Services = request.app.state.services
            authorization = authorization_of(request)

            def admit() -> ApiClient:
                caller = services.access.authenticate(authorization)
                request.state.client_id = caller.id
                if scope is not None:
                    require(caller, scope)
                return caller

            async def reply(body: bytes, admitted: ApiClient | None = None) -> Response:
                started_s = time.perf_counter()

                def job() -> Rendered | Pieces[Rendered]:
                    caller = admitted or admit()
                    call = Call(services, request.app.state.metrics, caller, request, body, started_s)
                    if reads_body:
                        call.query(NoQuery)
                    return handler(call)

                done = await services.executor.run(job)
                if isinstance(done, Generator):
                    done = await services.executor.run_in_pieces(done, still_there)
                return _response(done)

            async def still_there() -> None:
                if await request.is_disconnected():
                    raise ClientDisconnect

            if not reads_body:
                return await reply(b"")
            # Nobody's body takes memory before they have shown a key that may make this call.
            caller = await services.executor.run(admit)
            admitted_s = time.perf_counter()
            with services.in_flight.body() as in_flight:
                body = await read_json_body(
                    request,
                    max_bytes=max_body_bytes(services.limits),
                    timeout_s=services.limits.body_timeout_s,
                    in_flight=in_flight,
                )
                # A key that was revoked while its body trickled in is good for nothing.
                is_fresh = time.perf_counter() - admitted_s < ADMISSION_LASTS_S
                return await reply(body, caller if is_fresh else None)

        route.__name__ = handler.__name__
        route.__doc__ = handler.__doc__
        return route

    return decorate


def _response(rendered: Rendered) -> Response:
    media_type = "application/json" if rendered.body else None
    return Response(rendered.body or None, rendered.status, media_type=media_type)


def _is_printable_ascii(text: str) -> bool:
    return all(" " <= character <= "~" for character in text)
