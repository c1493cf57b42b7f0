"""Bytes → request schema, and what to say when they are not one.

pydantic's own messages and locations quote the input (tags, field names, whole signals), so that nothing
of them is passed on: every sentence here is ours, chosen by the type of the error. Only the name of an
unknown field is repeated, if it is a word: whoever reads the answer looks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.api.content import no_body
from app.api.errors import MAX_FAULTS, PROBLEMS
from app.api.schemas.base import RequestSchema
from app.api.well_formed import check_literals_and_depth, check_names, check_parts, not_json
from app.domain.errors import Fault, UnprocessableError
from app.domain.references import Modality

S = TypeVar("S", bound=RequestSchema)

# A name of this form is a word of a client's code; anything else may be data, and is not repeated.
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")

# What pydantic puts into locations to tell a member of a union.
_TAGS = frozenset({*Modality, "calibrated", "distance"})
_TAGGED_FIELDS = frozenset({"recordings", "recording", "policy"})
_SENTENCES: Mapping[str, str] = {
    "missing": "This field is required.",
    "string_type": "Expected a string.",
    "float_type": "Expected a number.",
    "int_type": "Expected an integer.",
    "int_from_float": "Expected an integer.",
    "bool_type": "Expected true or false.",
    "list_type": "Expected an array.",
    "model_type": "Expected an object.",
    "model_attributes_type": "Expected an object.",
    "finite_number": "Expected a finite number.",
    "string_pattern_mismatch": "Expected text that matches {pattern}.",
    "string_too_short": "Expected at least {min_length} characters.",
    "string_too_long": "Expected at most {max_length} characters.",
    "too_short": "Expected at least {min_length} items.",
    "too_long": "Expected at most {max_length} items.",
    "greater_than": "Expected more than {gt}.",
    "greater_than_equal": "Expected at least {ge}.",
    "less_than": "Expected less than {lt}.",
    "less_than_equal": "Expected at most {le}.",
    "literal_error": "Expected {expected}.",
    "enum": "Expected {expected}.",
    "union_tag_invalid": "Expected one of {expected_tags}.",
    "union_tag_not_found": "This field is required.",
}


def parse_body(schema: type[S], body: bytes) -> S:
    """Validate the bytes of a JSON body.

    Raises:
        MalformedPayloadError: Not JSON, deeper than 16, NaN or Infinity, lone surrogates, not UTF-8, or a
            name twice in one object.
        UnprocessableError: JSON that breaks the schema; the code of its first fault.
    """
    if not body or body.isspace():
        raise no_body()
    check_parts(body)
    try:
        parsed = schema.model_validate_json(body)
        check_names(body)
        return parsed
    except ValidationError as error:
        details = _details(error)  # The error itself holds copies of the input, and ends here.
    # Whatever is malformed fails the closed, strict schema too, so only failures are looked at twice.
    if any(detail["type"] == "json_invalid" for detail in details):
        raise not_json()
    unprocessable = _unprocessable(details, lambda path: names_in(schema, path))
    del details  # It holds unknown names, of any length.
    check_literals_and_depth(body)
    check_names(body)
    raise unprocessable


def invalid_parameters(error: RequestValidationError, known: Sequence[str]) -> UnprocessableError:
    """What FastAPI found wrong with the query or a header, in our words.

    Args:
        error: Of FastAPI.
        known: Query parameters of the route.
    """
    details: Sequence[Mapping[str, Any]] = error.errors()
    source = str(details[0]["loc"][0])
    rest = [{**detail, "loc": detail["loc"][1:]} for detail in details]
    return _unprocessable(rest, lambda _: known, what=source)


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def unknown_field(name: str, known: Iterable[str]) -> str:
    """A sentence that names a field and what its object knows."""
    named = f"'{name}' is no field here" if _WORD.fullmatch(name) else "This object holds an unknown field"
    return f"{named}; expected {', '.join(known) or 'none'}."


def names_in(schema: type[RequestSchema], path: Sequence[int | str]) -> list[str]:
    """The fields of the object at a pydantic location, by the JSON schema."""
    document = _json_schema(schema)
    node = _resolved(document, document)
    for part in path:
        if "discriminator" in node:  # The location names the member of the union.
            node = {"$ref": node["discriminator"]["mapping"][part]}
        elif "items" in node:
            node = node["items"]
        else:
            node = node["properties"][part]
        node = _resolved(node, document)
    return list(node.get("properties", ()))


@cache
def _json_schema(schema: type[RequestSchema]) -> dict[str, Any]:
    return schema.model_json_schema()


def _resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = document["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _unprocessable(
    details: Sequence[Mapping[str, Any]],
    names_at: Callable[[Sequence[int | str]], Iterable[str]],
    *,
    what: str = "body",
) -> UnprocessableError:
    unknown_last = sorted(details, key=lambda detail: bool(detail["type"] == "extra_forbidden"))
    faults = list(dict.fromkeys(_fault(detail, names_at) for detail in unknown_last[: 2 * MAX_FAULTS]))
    return UnprocessableError(
        f"The {what} breaks the contract.", code=faults[0].code, faults=faults[:MAX_FAULTS]
    )


def _fault(detail: Mapping[str, Any], names_at: Callable[[Sequence[int | str]], Iterable[str]]) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in PROBLEMS:  # Raised by our own validators, with our own words.
        path = (*detail["loc"], *context.get("pointer", ()))
        return Fault(_pointer(path), kind, detail["msg"])
    location = detail["loc"]
    if kind == "extra_forbidden":
        *holder, name = location
        return Fault(_pointer(holder), "invalid_request", unknown_field(str(name), names_at(holder)))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        location = (*location, context["discriminator"].strip("'"))
    sentence = _SENTENCES.get(kind, "Not what the contract asks for.")
    return Fault(_pointer(location), "invalid_request", sentence.format_map(context))


def _pointer(location: Sequence[int | str]) -> str:
    parts: list[str] = []
    for part in location:
        follows_tagged = bool(parts) and (parts[-1] in _TAGGED_FIELDS or parts[-1].isdecimal())
        if not (part in _TAGS and follows_tagged):
            parts.append(str(part))
    return "".join(f"/{part}" for part in parts)
