"""The OpenAPI document: what each route takes, answers and refuses.

The routes read their requests themselves (calls.py), so that their parameters and bodies are declared
here, from the same schemas that parse them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse, Response

from app.api.errors import PROBLEM_JSON, PROBLEMS
from app.api.schemas import recordings
from app.api.schemas.base import NAME_PATTERN, RequestSchema, ResponseSchema
from app.api.schemas.problems import ProblemAnswer
from app.domain.subjects import Scope

_REF: Final = "#/components/schemas/{model}"
_BODY_SCHEMAS: Final[dict[str, type[RequestSchema]]] = {}

SIGNAL_CODES: Final = (
    "signal_too_short",
    "signal_too_long",
    "signal_flat",
    "signal_saturated",
    "signal_not_finite",
    "sampling_rate_unsupported",
    "no_heartbeat",
    "quality_too_low",
)
IMAGE_CODES: Final = ("image_undecodable", "image_too_large", "no_face", "multiple_faces", "no_fingerprint")
CAPTURE_CODES: Final = (*SIGNAL_CODES, *IMAGE_CODES)
_ALWAYS: Final = ("invalid_credentials", "invalid_request", "overloaded", "store_unavailable")
_WITH_BODY: Final = (
    "malformed_payload",
    "request_timeout",
    "payload_too_large",
    "unsupported_media_type",
)

DESCRIPTION: Final = """
Recognises people by their heartbeat. You POST a recording, you get a decision at a stated error rate.

Scores are log-likelihood ratios in decibans; thresholds are false match rates from measured non-mated
scores. `POST /enroll`, `/verify`, `/identify` and `/activity` also answer under `/v1`.
Every error is a problem document (RFC 9457) with a stable `code`. Only a connection that is refused before
its request is read gets plain text: a head that is too long (400), or no connection to spare (503).
"""


def operation(
    *,
    summary: str,
    answer: type[ResponseSchema] | None,
    status: int = 200,
    scope: Scope | None = None,
    body: type[RequestSchema] | None = None,
    query: type[RequestSchema] | None = None,
    path: Sequence[str] = (),
    codes: Sequence[str] = (),
    idempotent: bool = False,
    public: bool = False,
) -> dict[str, Any]:
    """What FastAPI documents of a route.

    Args:
        summary: One line.
        answer: Schema of the answer; None for an empty one.
        status: Status of the answer.
        scope: Scope that the caller needs.
        body: Schema of the JSON body.
        query: Schema of the query parameters.
        path: Names of the path parameters.
        codes: Error codes besides those that every such route has.
        idempotent: Whether the route knows ``Idempotency-Key``.
        public: Whether it answers without an API key.
    """
    extra: dict[str, Any] = {"parameters": _parameters(path, query, idempotent=idempotent)}
    if not public:
        extra["security"] = [{"apiKey": [scope.value] if scope else []}]
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {"application/json": _body(body)}}
    return {
        "summary": summary,
        "response_model": answer,
        "response_class": JSONResponse if answer else Response,
        "status_code": status,
        "response_description": "The answer." if answer else "Done.",
        "responses": _refusals(
            codes, scope, with_body=body is not None, idempotent=idempotent, public=public
        ),
        "openapi_extra": extra,
    }


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """The whole document; built once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=DESCRIPTION,
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        components = document.setdefault("components", {})
        components["schemas"] = dict(sorted((components.get("schemas", {}) | _schemas()).items()))
        components["securitySchemes"] = {
            "apiKey": {"type": "http", "scheme": "bearer", "description": "`pp_<id>_<secret>`"}
        }
        app.openapi_schema = document
    return app.openapi_schema


def _schemas() -> Mapping[str, Any]:
    models: list[type[BaseModel]] = [*_BODY_SCHEMAS.values(), recordings.EcgRecording]
    _, requests = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    _, problems = models_json_schema([(ProblemAnswer, "serialization")], ref_template=_REF)
    merged: dict[str, Any] = requests["$defs"] | problems["$defs"]
    for schema in merged.values():
        for field in schema.get("properties", {}).values():
            _drop_null_default(field)
    return merged


def _body(schema: type[RequestSchema]) -> dict[str, Any]:
    _BODY_SCHEMAS[schema.__name__] = schema
    required = {name: field for name, field in schema.model_fields.items() if field.is_required()}
    example = {name: field.examples[0] for name, field in required.items() if field.examples}
    return {"schema": {"$ref": _REF.format(model=schema.__name__)}, "example": example}


def _parameters(
    path: Sequence[str], query: type[RequestSchema] | None, *, idempotent: bool
) -> list[dict[str, Any]]:
    parameters = [{"name": name, "in": "path", "required": True, **_PATH_PARAMETERS[name]} for name in path]
    if query is not None:
        fields = query.model_json_schema(ref_template=_REF)["properties"]
        parameters += [_query_parameter(name, dict(schema)) for name, schema in fields.items()]
    if idempotent:
        parameters.append(_IDEMPOTENCY_KEY)
    return parameters


def _drop_null_default(schema: dict[str, Any]) -> None:
    """Absent is not null: fields that may be absent refuse it."""
    if schema.get("default", "") is None:
        del schema["default"]


def _query_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    description = schema.pop("description")
    _drop_null_default(schema)
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _refusals(
    codes: Sequence[str], scope: Scope | None, *, with_body: bool, idempotent: bool, public: bool
) -> dict[int | str, dict[str, Any]]:
    every = [*codes]
    if not public:
        every += _ALWAYS
        every += ["insufficient_scope"] if scope else []
        every += _WITH_BODY if with_body else ()
        every += ["idempotency_key_reused"] if idempotent else []
    by_status: dict[int, list[str]] = {}
    for code in PROBLEMS:  # The order of the contract.
        if code in every:
            by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {status: _refusal(status, names) for status, names in by_status.items()}


def _refusal(status: int, codes: Sequence[str]) -> dict[str, Any]:
    listed = "\n".join(f"- `{code}`: {PROBLEMS[code].title}." for code in codes)
    refusal: dict[str, Any] = {
        "description": listed,
        "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model="ProblemAnswer")}}},
    }
    if status == 503:
        refusal["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if status == 401:
        refusal["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return refusal


_NAME_SCHEMA: Final = {"type": "string", "pattern": NAME_PATTERN}
_PATH_PARAMETERS: Final[Mapping[str, dict[str, Any]]] = {
    "subject_id": {"description": "The subject.", "schema": _NAME_SCHEMA, "example": "operator-17"},
    "name": {"description": "The gallery.", "schema": _NAME_SCHEMA, "example": "default"},
    "reference_id": {
        "description": "The reference.",
        "schema": {"type": "string", "format": "uuid"},
        "example": "01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10",
    },
}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeat a request with the same key and body, and get the stored answer (24 h).",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "enroll-2026-11-20-0001",
}
