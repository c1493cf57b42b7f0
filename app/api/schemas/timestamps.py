"""RFC 3339 times of requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

# Clocks of wearables may run ahead; a capture of next week is a mistake.
MAX_AHEAD = timedelta(days=1)
# Before Einthoven nobody recorded an ECG; and years near 1 overflow when a zone is applied.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(
    r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)\Z", re.ASCII
)


def parse_timestamp(text: object) -> datetime:
    """A point in time, as UTC, from RFC 3339 text with an offset.

    Raises:
        PydanticCustomError: Not such a text, or neither since 1900 nor before tomorrow.
    """
    if not isinstance(text, str) or not _RFC_3339.match(text):
        raise _refused("Expected an RFC 3339 time with an offset, like 2026-11-20T09:30:00Z.")
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused("Expected a time that exists.") from None
    if not EARLIEST <= moment <= datetime.now(UTC) + MAX_AHEAD:
        raise _refused("Expected a time since 1900 and not in the future.")
    return moment


def _refused(message: str) -> PydanticCustomError:
    return PydanticCustomError("invalid_request", message)


Timestamp = Annotated[
    datetime,
    BeforeValidator(parse_timestamp, json_schema_input_type=str),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:30:00Z"]),
]
