"""What can be said of a JSON body without making objects of it.

pydantic parses 8 MiB of empty arrays in no time and then makes two million Python objects to report one
error. So bodies are looked at as bytes: before parsing for more parts than any request has, and after a
failure for what is not JSON at all, because the parser takes NaN, Infinity and any depth.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from app.domain.errors import MalformedPayloadError, UnprocessableError

MAX_DEPTH: Final = 16
# The largest request of the contract has 24 recordings of some ten fields.
MAX_CONTAINERS: Final = 2_000
MAX_QUOTES: Final = 10_000

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
# Ignores all it parses, in Rust.
_ANY_OBJECT: Final = SchemaValidator(core_schema.typed_dict_schema({}, extra_behavior="ignore"))


def check_parts(body: bytes) -> None:
    """Refuse bodies with more arrays, objects or strings than any request of the contract.

    Raises:
        MalformedPayloadError: If it is not JSON either.
        UnprocessableError: It is JSON.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_CONTAINERS and body.count(b'"') <= MAX_QUOTES:
        return
    try:
        _ANY_OBJECT.validate_json(b'{"body":' + body + b"}")
    except ValidationError:
        raise not_json() from None
    check_literals_and_depth(body)
    raise UnprocessableError("The body holds more arrays, objects or strings than any request.")


def check_literals_and_depth(body: bytes) -> None:
    """Raises ``MalformedPayloadError`` for NaN, Infinity and nesting beyond 16 in what is else JSON."""
    bare = _STRING.sub(b"", body)
    if b"N" in bare or b"I" in bare:
        raise MalformedPayloadError("NaN and Infinity are not JSON.")
    if _depth(bare) > MAX_DEPTH:
        raise MalformedPayloadError(f"The body nests deeper than {MAX_DEPTH}.")


def not_json() -> MalformedPayloadError:
    return MalformedPayloadError("The body is not valid JSON in UTF-8.")


def _depth(bare: bytes) -> int:
    """How deep the brackets of a JSON document without its strings are nested."""
    marks = np.frombuffer(bare, dtype=np.uint8)
    opening = (marks == ord("[")) | (marks == ord("{"))
    closing = (marks == ord("]")) | (marks == ord("}"))
    return int(np.cumsum(opening.astype(np.int8) - closing, dtype=np.int32).max(initial=0))
