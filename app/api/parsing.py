"""Bytes → request schema, and what to say when they are not one.

pydantic's own messages and locations quote the input (tags, field names, whole signals), so that nothing
of them is passed on: every sentence here is ours, chosen by the type of the error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

UNKNOWN_FIELD: Final = "This object holds a field that the contract does not know."

# What pydantic puts into locations to tell a member of a union.
_TAGS = frozenset({*Modality, "calibrated", "distance"})
_TAGGED_FIELDS = frozenset({"recordings", "recording", "policy"})
_SENTENCES: Mapping[str, str] = {
    "missing": "This field is required.",
    "extra_forbidden": UNKNOWN_FIELD,
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
    unprocessable = _unprocessable(details)
    del details  # It holds unknown names, of any length.
    check_literals_and_depth(body)
    check_names(body)
    raise unprocessable


def invalid_parameters(error: RequestValidationError) -> UnprocessableError:
    """What FastAPI found wrong with the query or a header, in our words."""
    details: Sequence[Mapping[str, Any]] = error.errors()
    source = str(details[0]["loc"][0])
    return _unprocessable([{**detail, "loc": detail["loc"][1:]} for detail in details], what=source)


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def _unprocessable(details: Sequence[Mapping[str, Any]], *, what: str = "body") -> UnprocessableError:
    # Two unknown fields of one object are one fault: neither is named.
    faults = list(dict.fromkeys(_fault(detail) for detail in details))
    return UnprocessableError(
        f"The {what} breaks the contract.", code=faults[0].code, faults=faults[:MAX_FAULTS]
    )


def _fault(detail: Mapping[str, Any]) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in PROBLEMS:  # Raised by our own validators, with our own words.
        path = (*detail["loc"], *context.get("pointer", ()))
        return Fault(_pointer(path), kind, detail["msg"])
    location = detail["loc"]
    if kind == "extra_forbidden":
        location = location[:-1]  # The unknown name is input; its object is not.
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
