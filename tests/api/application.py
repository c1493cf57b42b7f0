"""The real application with the fake encoder, and a client of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from app.api.deps import Services
from app.bootstrap import open_services
from app.config import Settings
from app.domain.activity import ActivityRecognizer
from app.domain.ports.encoders import Encoders
from app.domain.ports.fusion import FeatureFusion
from app.domain.subjects import ALL_GALLERIES, Scope
from app.log import configure_logging
from app.main import create_app
from tests.fakes import FakeEncoders
from tests.shipped_models import shipped_models

MASTER_KEY = base64.b64encode(hashlib.sha256(b"a master key for tests").digest()).decode()
EVERYTHING = tuple(Scope)
JSON = (b"content-type", b"application/json")


class Api:
    """A client of one running application; every call is one HTTP request through the whole stack."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.services = services
        self.log = io.StringIO()
        configure_logging("debug", "json", self.log)
        (self._handler,) = logging.getLogger().handlers
        logging.getLogger("httpx").setLevel(logging.WARNING)  # The client's own lines are not the service's.
        self._app = create_app(settings, services)
        self._runner = asyncio.Runner()
        self._lifespan = self._app.router.lifespan_context(self._app)
        self._runner.run(self._lifespan.__aenter__())
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=True)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://pulseprint")
        self.key = self.new_key()

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()
        logging.getLogger().removeHandler(self._handler)

    @property
    def openapi(self) -> dict[str, Any]:
        return self._app.openapi()

    @property
    def app(self) -> Any:
        return self._app

    def new_key(self, *scopes: Scope, galleries: tuple[str, ...] = (ALL_GALLERIES,)) -> str:
        """An API key; with all scopes if none is named."""
        _, key = self.services.access.create("test", scopes or EVERYTHING, galleries)
        return key

    def start_afresh(self) -> None:
        """Erase everything; `default` comes back empty. A new key has no stored answers."""
        while len(galleries := self.get("/galleries?limit=200").json()["items"]) > 1:
            for gallery in galleries:
                if gallery["name"] != "default":
                    assert self.delete(f"/galleries/{gallery['name']}").status_code == 204
        assert self.delete("/galleries/default").status_code == 204
        self.key = self.new_key()
        self.log.seek(0)
        self.log.truncate()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = "",
        content: bytes | None = None,
        headers: Any = None,
    ) -> httpx.Response:
        """One request; `key` None sends no credentials, `content` replaces the JSON of `body`."""
        return self._runner.run(self.acall(method, path, body, key=key, content=content, headers=headers))

    async def acall(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = "",
        content: bytes | None = None,
        headers: Any = None,
    ) -> httpx.Response:
        sent = httpx.Headers(headers)
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {key or self.key}")
        if content is None and body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        return await self._client.request(method, path, content=content, headers=sent)

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> httpx.Response:
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: object = None, **options: Any) -> httpx.Response:
        return self.call("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.call("DELETE", path, **options)


class Exchange:
    """One request told to the application message by message, below any HTTP client."""

    def __init__(self, api, headers=(JSON,), path="/verify", method="POST", key=None):
        self.sent = []
        self._api = api
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "client": ("client", 1),
            "server": ("pulseprint", 80),
            "headers": [(b"authorization", f"Bearer {key or api.key}".encode()), *headers],
        }

    def run(self, receive):
        async def send(message):
            self.sent.append(message)

        self._api.run(self._api.app(self._scope, receive, send))
        return self

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def problem(self):
        return json.loads(b"".join(message.get("body", b"") for message in self.sent[1:]))


@contextmanager
def open_api(
    database_url: str,
    encoders: Encoders | None = None,
    recognizer: ActivityRecognizer | None = None,
    fusion: FeatureFusion | None = None,
) -> Iterator[Api]:
    """The application on this database."""
    settings = Settings(_env_file=None, database_url=database_url, master_keys=MASTER_KEY, encoder_threads=2)
    with _serving(settings, encoders or FakeEncoders(), recognizer, fusion) as api:
        yield api


@contextmanager
def open_shipped_api(database_url: str, encoders: str = "") -> Iterator[Api]:
    """The application with the bundles in git; `encoders` is the setting PULSEPRINT_ENCODERS."""
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        master_keys=MASTER_KEY,
        models_dir=shipped_models(),
        encoders=encoders,
        encoder_threads=1,
    )
    with _serving(settings) as api:
        yield api


@contextmanager
def _serving(
    settings: Settings,
    encoders: Encoders | None = None,
    recognizer: ActivityRecognizer | None = None,
    fusion: FeatureFusion | None = None,
) -> Iterator[Api]:
    with open_services(settings, encoders=encoders, recognizer=recognizer, fusion=fusion) as services:
        api = Api(settings, services)
        try:
            yield api
        finally:
            api.close()
