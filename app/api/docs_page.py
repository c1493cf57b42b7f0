"""`/docs` and `/openapi.json`: the contract, to be read and tried without a network.

Swagger UI shows the OpenAPI document; its files come from the package `fastapi-swagger`, which carries them
unchanged, and are served from here. Around it stand a table of contents, how to make a client, and every
error code. The content security policy allows nothing that is not served from here, and nothing inline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.api.errors import PROBLEMS
from app.domain.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_OWN_FILES: Final = Path(__file__).parent / "docs_assets"
_MEDIA_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"  # Another content has another address.
# `make clients` runs these, type-checks or compiles what they make, and recognizes people through it.
CLIENT_COMMANDS: Final = {
    "Python": "openapi-python-client generate --path openapi.json --output-path client",
    "TypeScript, types": (
        "openapi-typescript openapi.json --default-non-nullable=false --output client/types.ts"
    ),
    "TypeScript, fetch": "openapi-generator-cli generate -g typescript-fetch -i openapi.json -o client",
    "Kotlin": (
        "openapi-generator-cli generate -g kotlin -i openapi.json -o client"
        " --additional-properties=serializationLibrary=jackson"
        " --openapi-normalizer REPLACE_ONE_OF_BY_DISCRIMINATOR_MAPPING=true"
    ),
}


@router.get("/openapi.json")
async def openapi_json(request: Request) -> Response:
    """The document that the committed docs/openapi.json is compared with."""
    content = _once(request.app, "openapi_json", lambda: to_json(request.app.openapi()))
    return Response(content, media_type="application/json")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The same, for people."""
    page = _once(request.app, "docs_html", lambda: render_page(request.app.openapi()).encode())
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{version}/{name}")
async def docs_asset(version: str, name: str) -> Response:
    """A file of the page."""
    files = assets()
    if name not in files or version != assets_version():
        raise NotFoundError("There is no such file.")
    media_type = _MEDIA_TYPES[files[name].suffix]
    return FileResponse(files[name], media_type=media_type, headers={"Cache-Control": _FOR_EVER})


@cache
def assets() -> dict[str, Path]:
    """The files that are served, by name."""
    package = find_spec("fastapi_swagger")  # Found, not imported: only its files are wanted.
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("fastapi-swagger, which carries Swagger UI, is not installed.")
    swagger = Path(package.submodule_search_locations[0]) / "resources"
    return {
        "page.css": _OWN_FILES / "page.css",
        "page.js": _OWN_FILES / "page.js",
        "swagger-ui.css": swagger / "swagger-ui.css",
        "swagger-ui-bundle.js": swagger / "swagger-ui-bundle.js",
        "favicon-32x32.png": swagger / "favicon-32x32.png",
    }


@cache
def assets_version() -> str:
    """Changes with the content of any of them."""
    digest = hashlib.sha256()
    for path in assets().values():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _once(app: FastAPI, name: str, make: Callable[[], bytes]) -> bytes:
    """Both pages take milliseconds to make, for anybody, and never change while the process lives."""
    if not hasattr(app.state, name):
        setattr(app.state, name, make())
    content: bytes = getattr(app.state, name)
    return content


def render_page(document: dict[str, Any]) -> str:
    """HTML around Swagger UI, made from an OpenAPI document."""
    title, at = escape(document["info"]["title"]), f"/docs/{assets_version()}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="{at}/favicon-32x32.png">'
        f'<link rel="stylesheet" href="{at}/swagger-ui.css"><link rel="stylesheet" href="{at}/page.css">'
        f'<script src="{at}/swagger-ui-bundle.js" defer></script><script src="{at}/page.js" defer></script>'
        f"</head><body><nav><b>{title}</b>{_contents(document)}</nav><main>"
        '<div id="reference"></div><noscript><p>The reference needs JavaScript. The same contract, for '
        'machines: <a href="/openapi.json">openapi.json</a>.</p></noscript>'
        f'<section id="clients"><h2>Generate a client</h2>{_clients()}</section>'
        f'<section id="errors"><h2>Errors</h2>{_codes()}</section></main></body></html>'
    )


def _contents(document: dict[str, Any]) -> str:
    parts = ['<ul><li><a href="#reference">How to authenticate</a></li></ul>']
    for tag in document["tags"]:
        links = [
            f'<li><code>{method.upper()}</code> <a href="#/{tag["name"]}/{operation["operationId"]}">'
            f"{escape(path)}</a></li>"
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if tag["name"] in operation["tags"]
        ]
        parts.append(f'<b><a href="#/{tag["name"]}">{escape(tag["name"])}</a></b><ul>{"".join(links)}</ul>')
    parts.append('<ul><li><a href="#clients">Generate a client</a></li><li><a href="#errors">Errors</a></li>')
    return "".join([*parts, '<li><a href="/openapi.json">openapi.json</a></li></ul>'])


def _clients() -> str:
    commands = "".join(
        f"<h3>{name}</h3><pre><code>{escape(line)}</code></pre>" for name, line in CLIENT_COMMANDS.items()
    )
    return (
        '<p>From <a href="/openapi.json">openapi.json</a>, with generators that the project tests: each of '
        f"these commands makes classes for every recording, policy and answer.</p>{commands}"
    )


def _codes() -> str:
    rows = [
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td><td>{kind.title}.</td></tr>'
        for code, kind in PROBLEMS.items()
    ]
    return f"<table><tr><th>code</th><th>status</th><th>meaning</th></tr>{''.join(rows)}</table>"
