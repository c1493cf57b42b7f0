"""A Pulseprint service as the demo talks to it: HTTP and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from app.demo.server import DemoError

READY_TIMEOUT_S = 60.0
READY_POLL_S = 0.1


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with the time it took."""

    status: int
    body: Mapping[str, Any]
    client_ms: float

    @property
    def is_refusal(self) -> bool:
        """The service answered that it cannot use the recordings."""
        return self.status == httpx.codes.UNPROCESSABLE_ENTITY


class Service:
    """A Pulseprint service over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def wait_until_ready(
        self, check_alive: Callable[[], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Return once `/readyz` says so.

        Raises:
            DemoError: Not within a minute; or whatever `check_alive` raises.
        """
        tries = round(READY_TIMEOUT_S / READY_POLL_S)
        last = "no answer"
        for _ in range(tries):
            check_alive()
            try:
                answer = self._client.get("/readyz")
            except httpx.TransportError as error:
                last = str(error)
            else:
                if answer.is_success:
                    return
                last = f"{answer.status_code}"
            pause(READY_POLL_S)
        raise DemoError(f"{self._client.base_url} is not ready after {READY_TIMEOUT_S:g} s: {last}")

    def get(self, path: str) -> Answer:
        """GET; every refusal is a `DemoError`."""
        answer = self._ask("GET", path, None)
        if answer.is_refusal:
            raise DemoError(f"GET {path}: {problem(answer.body)}")
        return answer

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST; a recording that cannot be used (422) is an answer, any other refusal a `DemoError`."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        start = time.perf_counter()
        try:
            response = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise DemoError(f"{method} {path}: {error}") from error
        client_ms = 1000.0 * (time.perf_counter() - start)
        try:
            content = response.json()
        except ValueError:
            raise DemoError(f"{method} {path}: {response.status_code} with a body that is no JSON") from None
        answer = Answer(response.status_code, content, client_ms)
        if not (response.is_success or answer.is_refusal):
            raise DemoError(f"{method} {path}: {response.status_code} {problem(content)}")
        return answer


def problem(body: Mapping[str, Any]) -> str:
    """Code and detail of a problem body in one line."""
    return f"{body.get('code', 'unknown')}: {body.get('detail') or body.get('title', '')}"
