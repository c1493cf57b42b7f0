"""The OpenAPI document: FastAPI's own, with the bodies that FastAPI does not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.api.bodies import JsonBody
from app.api.document_examples import add_examples, problem_references
from app.api.errors import PROBLEM_JSON, PROBLEMS
from app.api.schemas.base import RequestSchema
from app.api.schemas.problems import ProblemAnswer

_REF: Final = "#/components/schemas/{model}"
_HEADERS: Final[Mapping[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": {"description": "Bearer.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}

SIGNAL_CODES: Final = (
    "signal_too_short",
    "signal_too_long",
    "signal_flat",
    "signal_saturated",
    "samples_missing",
    "too_many_impulses",
    "signal_not_finite",
    "sampling_rate_unsupported",
    "no_heartbeat",
    "paced_rhythm",
    "quality_too_low",
)
IMAGE_CODES: Final = (
    "image_undecodable",
    "image_too_large",
    "dpi_required",
    "no_face",
    "multiple_faces",
    "face_too_small",
    "face_turned_away",
    "dpi_implausible",
    "no_fingerprint",
)
CAPTURE_CODES: Final = (*SIGNAL_CODES, *IMAGE_CODES)
COMPARISON_CODES: Final = (
    *CAPTURE_CODES,
    "gallery_not_found",
    "not_comparable",
    "policy_looser",
    "policy_incomplete",
    "modality_unavailable",
    "fusion_unavailable",
    "index_not_ready",
)
# What any route may answer that needs an API key, that needs a scope, that reads a body.
WITH_KEY: Final = ("invalid_credentials", "invalid_request", "overloaded", "store_unavailable")
WITH_SCOPE: Final = (*WITH_KEY, "insufficient_scope")
WITH_BODY: Final = ("malformed_payload", "request_timeout", "payload_too_large", "unsupported_media_type")

DESCRIPTION: Final = """
Recognizes people by their heartbeat. You POST a recording, you get a decision at a stated error rate.

**Authentication.** Every request but those to `/healthz`, `/readyz`, `/metrics` and the documentation
carries an API key: `Authorization: Bearer pp_<id>_<secret>`. The operator makes one with
`python -m app.cli keys create --name NAME --scopes enroll,verify,identify --galleries default`; it is shown
once. Requests of a key with one gallery need not name it.

**Bodies** are JSON in UTF-8, as it is or with `Content-Encoding: gzip`.

**Versions.** `POST /enroll`, `/verify`, `/identify` and `/activity` also answer under `/v1`, with the same
bodies and answers; no other path does. `GET /` redirects to this documentation.

**Scores** are log-likelihood ratios in decibans; thresholds are false match rates from measured non-mated
scores.

**Errors.** Every error is a problem document (RFC 9457) with a stable `code`. Only a connection that is
refused before its request is read gets plain text: a head that is too long (400), or no connection to spare
(503).
"""
TAGS: Final = [
    {"name": "recognition", "description": "Enroll people, recognize them, and judge recordings."},
    {"name": "subjects", "description": "Who is enrolled, with which references; erasure."},
    {"name": "galleries", "description": "Units of isolation, each with its own policy and keys."},
    {"name": "service", "description": "What runs here and whether it is well."},
]


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that may answer with these codes."""
    by_status: dict[int, list[str]] = {}
    for code, kind in PROBLEMS.items():  # The order of the contract.
        if code in codes:
            by_status.setdefault(kind.status, []).append(code)
    return {status: _problem(status, of_status) for status, of_status in by_status.items()}


def _problem(status: int, codes: Sequence[str]) -> dict[str, Any]:
    # Not FastAPI's `model`, which knows no media type but that of the answer.
    schema = {"$ref": _REF.format(model=ProblemAnswer.__name__)}
    documented: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {PROBLEMS[code].title}." for code in codes),
        "content": {PROBLEM_JSON: {"schema": schema, "examples": problem_references(*codes)}},
    }
    if status in _HEADERS:
        documented["headers"] = _HEADERS[status]
    return documented


class DocumentedApi(FastAPI):
    """FastAPI, and a document with the bodies that `JsonBody` reads in its place."""

    def openapi(self) -> dict[str, Any]:
        """The whole document; made once."""
        if self.openapi_schema is None:
            document = self._with_bodies(super().openapi())
            _name_scopes(document)
            add_examples(document)
            _suit_generators(document)
            self.openapi_schema = document
        return self.openapi_schema

    def _with_bodies(self, document: dict[str, Any]) -> dict[str, Any]:
        schemas: list[type[RequestSchema]] = []
        for route in iter_route_contexts(self.routes):
            if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
                continue
            for dependency in route.dependant.dependencies:
                if isinstance(dependency.call, JsonBody):
                    schemas.append(dependency.call.schema)
                    for method in route.methods or ():
                        operation = document["paths"][route.path][method.lower()]
                        operation["requestBody"] = _request_body(dependency.call.schema)
        definitions = document["components"]["schemas"] | _definitions(schemas)
        document["components"]["schemas"] = dict(sorted(definitions.items()))
        return document


def _request_body(schema: type[RequestSchema]) -> dict[str, Any]:
    required = {name: field for name, field in schema.model_fields.items() if field.is_required()}
    example = {name: field.examples[0] for name, field in required.items() if field.examples}
    content = {"schema": {"$ref": _REF.format(model=schema.__name__)}, "example": example}
    return {"required": True, "content": {"application/json": content}}


def _definitions(bodies: Sequence[type[RequestSchema]]) -> dict[str, Any]:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(body, "validation") for body in bodies]
    _, schema = models_json_schema([*models, (ProblemAnswer, "serialization")], ref_template=_REF)
    # Without `default: null`: fields that may be absent refuse it.
    definitions: dict[str, Any] = jsonable_encoder(schema["$defs"], exclude_none=True)
    return definitions


def _name_scopes(document: dict[str, Any]) -> None:
    """In words: pages that show the document say nothing of the scopes of a bearer key."""
    for item in document["paths"].values():
        for operation in item.values():
            if not operation["security"]:
                needs = "Needs no API key."
            elif scopes := operation["security"][0]["apiKey"]:
                needs = f"Needs an API key with the scope `{scopes[0]}`."
            else:
                needs = "Needs any valid API key."
            operation["description"] += f"\n\n{needs}"


def _suit_generators(node: Any) -> None:
    """Without the titles in which pydantic repeats every name ("Fs Hz"), and with a format for every number.

    Some generators take the titles for better names, and a number without a format for a decimal fraction.
    """
    if isinstance(node, list):
        for value in node:
            _suit_generators(value)
    if not isinstance(node, dict):
        return
    if node.get("type") == "number":
        node.setdefault("format", "double")
    for key, value in node.items():
        if key in ("properties", "schemas"):
            for schema in value.values():
                schema.pop("title", None)
        elif key == "schema":
            value.pop("title", None)
        if key not in ("example", "examples"):
            _suit_generators(value)
