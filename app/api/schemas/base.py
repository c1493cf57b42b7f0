"""What all request and response schemas have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from app.domain.subjects import (
    MAX_SUBJECT_ID_CHARS,
    SUBJECT_ID_PATTERN,
    SUBJECT_ID_RULE,
    is_subject_id,
)

# Rust's regex: `$` is the very end, without a newline before it.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"

Name = Annotated[
    str, StringConstraints(pattern=NAME_PATTERN), Field(examples=["operator-17"], description="A name.")
]


def _subject_id(text: str) -> str:
    if not is_subject_id(text):
        raise PydanticCustomError("invalid_request", SUBJECT_ID_RULE)
    return text


SUBJECT_ID_SCHEMA: Final[JsonDict] = {"pattern": SUBJECT_ID_PATTERN, "maxLength": MAX_SUBJECT_ID_CHARS}
SubjectName = Annotated[
    str, AfterValidator(_subject_id), Field(min_length=1, json_schema_extra=SUBJECT_ID_SCHEMA)
]


GALLERY: Final = "Left out: the only gallery of the key, or else `default`."


class _NotNull:
    """An optional field may be left out; null is not a way to leave it out."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


T = TypeVar("T")
OrAbsent = Annotated[T | None, _NotNull()]


class NamedEnum(StrEnum):
    """Values whose names in generated clients are those of the code: `mV` alone would become `MV` or `M_V`.

    Some languages have one room for the members of all enumerations, so the names are unique among them.
    """

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        referenced = handler(schema)
        handler.resolve_ref_schema(referenced)["x-enum-varnames"] = [member.name for member in cls]
        return referenced


class RequestSchema(BaseModel):
    """Strict, closed and silent: no coercion, no unknown field, no value in a representation."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    def __repr__(self) -> str:  # Recordings never reach a log.
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class ResponseSchema(BaseModel):
    """Built by us from domain objects, field by field, in the order of the contract."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def to_bytes(self) -> bytes:
        """Compact JSON, UTF-8."""
        return self.__pydantic_serializer__.to_json(self)


def absentable(description: str, *, example: object) -> Any:
    """A response field that is left out, not null, where there is nothing to say."""
    return Field(
        default=None, exclude_if=lambda value: value is None, description=description, examples=[example]
    )


def described(description: str, *, example: object, **constraints: Any) -> Any:
    """A field that is always there."""
    return Field(description=description, examples=[example], **constraints)


def tagged_union(tag: str, description: str, *, example: str) -> Any:
    """A union whose members one field distinguishes, as a component of its own.

    The tag stands beside `oneOf` without a type: generators that make an interface of the union (Kotlin)
    need a field to put there, and the members narrow it to their own constants.
    """
    shared = {"properties": {tag: {"description": "Tells which.", "examples": [example]}}, "required": [tag]}
    return Field(discriminator=tag, description=description, json_schema_extra=cast(JsonDict, shared))


def decibans(value: float) -> float:
    """Rounded for transport, finely enough to compare scores to 1e-4 dB; never -0.0."""
    return round(value, 6) + 0.0


def decibans_or_none(value: float | None) -> float | None:
    return None if value is None else decibans(value)


def seconds_or_none(value: float | None) -> float | None:
    """Seconds of a strip, to the millisecond."""
    return None if value is None else round(value, 3)


def significant(value: float) -> float:
    """A rate with six significant digits: rates span many orders of magnitude."""
    return float(f"{value:.6g}")
