"""``/docs`` and ``/openapi.json``: the contract, readable without a network.

The page is plain HTML made from the OpenAPI document: no script, no font, nothing from elsewhere, so that
its content security policy can forbid everything.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.api.errors import PROBLEMS

router = APIRouter(include_in_schema=False)

_METHODS: Final = ("get", "post", "put", "delete")
_BOUNDS: Final = {
    "minimum": "from",
    "exclusiveMinimum": "more than",
    "maximum": "to",
    "exclusiveMaximum": "less than",
    "minItems": "items from",
    "maxItems": "items to",
    "pattern": "matching",
    "default": "default",
}
_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f4f6;border-radius:4px;padding:.1em .3em}
pre{padding:.8em;overflow-x:auto}section{border-top:1px solid #d0d7de;margin-top:2rem}
h2 code{font-size:1em}table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #e5e7eb;padding:.3em .5em;text-align:left;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}code,pre{background:#161b22}
a{color:#79b8ff}}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


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


def _once(app: FastAPI, name: str, make: Callable[[], bytes]) -> bytes:
    """Both pages take milliseconds to make and never change while the process lives."""
    if not hasattr(app.state, name):
        setattr(app.state, name, make())
    content: bytes = getattr(app.state, name)
    return content


def render_page(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    info = document["info"]
    operations = [
        _operation(method.upper(), path, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    schemas = [_schema(name, schema) for name, schema in document["components"]["schemas"].items()]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{_text(info['description'])}"
        f'<p>Machine-readable: <a href="/openapi.json">openapi.json</a></p>{"".join(operations)}'
        f'<section><h2 id="errors">Errors</h2>{_codes()}</section>'
        f'<section><h2 id="schemas">Schemas</h2>{"".join(schemas)}</section></body></html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = _table(
        ("parameter", "in", "meaning"),
        [(p["name"], p["in"], p.get("description", "")) for p in operation.get("parameters", ())],
    )
    body = operation.get("requestBody")
    takes = _takes(body["content"]["application/json"]) if body else ""
    answers = _table(
        ("status", "answer", "meaning"),
        [
            (
                status,
                ", ".join(map(_reference, response.get("content", {}).values())),
                response["description"],
            )
            for status, response in operation["responses"].items()
        ],
        raw_column=1,
    )
    return (
        f"<section><h2><code>{method} {escape(path)}</code></h2><p><b>{escape(operation['summary'])}.</b> "
        f"{escape(operation.get('description', ''))}</p>"
        f"{_needs(operation)}{parameters}{takes}{answers}</section>"
    )


def _needs(operation: dict[str, Any]) -> str:
    """What the caller must be allowed."""
    if "security" not in operation:
        return "<p>Needs no API key.</p>"
    scopes = operation["security"][0]["apiKey"]
    return f"<p>Scope: <code>{scopes[0]}</code>.</p>" if scopes else "<p>Any valid API key.</p>"


def _takes(content: dict[str, Any]) -> str:
    example = json.dumps(content["example"], indent=2)
    return f"<p>Body: {_reference(content)}</p><pre>{escape(example)}</pre>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    fields = [
        (
            field + ("" if field in required else " (optional)"),
            _type_of(of) + _limits(of),
            of.get("description", ""),
        )
        for field, of in schema.get("properties", {}).items()
    ]
    values = f"<p>One of {escape(', '.join(map(str, schema['enum'])))}</p>" if "enum" in schema else ""
    table = _table(("field", "type", "meaning"), fields, raw_column=1) if fields else ""
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>{_text(schema.get("description", ""))}{values}{table}'


def _type_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(map(_type_of, schema[key]))
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"array of {_type_of(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type", "any")))


def _limits(schema: dict[str, Any]) -> str:
    """Bounds and default, as far as the schema states them."""
    stated = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return escape(", ".join(["", *stated]))


def _reference(content: dict[str, Any]) -> str:
    return _type_of(content.get("schema", {}))


def _link(reference: str) -> str:
    name = escape(reference.rpartition("/")[2])
    return f'<a href="#{name}">{name}</a>'


def _codes() -> str:
    rows = [
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td><td>{kind.title}.</td></tr>'
        for code, kind in PROBLEMS.items()
    ]
    return f"<table><tr><th>code</th><th>status</th><th>meaning</th></tr>{''.join(rows)}</table>"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], raw_column: int = -1) -> str:
    if not rows:
        return ""
    header = "".join(f"<th>{name}</th>" for name in head)
    lines = [
        "".join(f"<td>{cell if i == raw_column else _inline(cell)}</td>" for i, cell in enumerate(row))
        for row in rows
    ]
    return f"<table><tr>{header}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _text(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.strip().split("\n\n") if part)


def _inline(text: str) -> str:
    """Escape, and keep the two marks that our descriptions use: `code` and list items."""
    parts = escape(text).split("`")
    marked = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    return marked.replace("\n- ", "<br>").removeprefix("- ")
