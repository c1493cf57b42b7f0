"""Query parameters of lists."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.api.schemas.base import GALLERY, Name, OrAbsent, RequestSchema

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_DIGITS = re.compile(r"^[0-9]{1,3}\Z")


def _digits_only(text: object) -> int:
    """Query values are text; of what int() takes, only plain digits are welcome."""
    if not isinstance(text, str) or not _DIGITS.match(text):
        raise PydanticCustomError("invalid_request", "Expected a number from 1 to 200.")
    return int(text)


_LimitNumber = Annotated[int, Field(ge=1, le=MAX_LIMIT)]
Limit = Annotated[_LimitNumber, BeforeValidator(_digits_only, json_schema_input_type=_LimitNumber)]
CursorText = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class NoQuery(RequestSchema):
    """Calls that know no query parameter."""


class GalleryQuery(RequestSchema):
    """Which gallery the path speaks of."""

    gallery: OrAbsent[Name] = Field(None, description=f"The gallery. {GALLERY}", examples=["default"])


class PageQuery(RequestSchema):
    """Which part of a list."""

    limit: Limit = Field(DEFAULT_LIMIT, description="Items of one answer, 1 to 200.", examples=[50])
    cursor: OrAbsent[CursorText] = Field(
        None,
        description="`next_cursor` of the answer before, to the same path and gallery.",
    )


class GalleryPageQuery(PageQuery):
    """Which part of a list in a gallery."""

    gallery: OrAbsent[Name] = Field(None, description=f"The gallery. {GALLERY}", examples=["default"])
