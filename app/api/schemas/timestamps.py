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
# RFC 3339, and what Java, phones, databases and Go write beside it: no seconds, a space for T, +0100 or +01,
# a zone in brackets or as a word after the offset. Without an offset nobody knows the moment.
_FORM = re.compile(
    r"(?P<date>\d{4}-?\d\d-?\d\d)[Tt ](?P<minute>\d\d:?\d\d)"
    r"(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?:[Zz]|UTC|GMT|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3])(?::?(?P<minutes>[0-5]\d))?)"
    r"(?:\[[A-Za-z0-9_/+:-]{1,64}\]| [A-Z]{2,5})?",
    re.ASCII,
)
_EXPECTED = (
    "Expected a time with an offset, best as RFC 3339 writes it: 2026-11-20T09:30:00Z. Also read are"
    " 2026-11-20T09:30+01:00[Europe/Berlin] and 2026-11-20 09:30:00.5 +0100."
)


def parse_timestamp(text: object) -> datetime:
    """A point in time, as UTC, from text with an offset.

    Raises:
        PydanticCustomError: Not such a text, or neither since 1900 nor before tomorrow.
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise _refused(_EXPECTED)
    try:
        moment = _moment(found)
    except (ValueError, OverflowError):
        raise _refused("Expected a time that exists.") from None
    if not EARLIEST <= moment <= datetime.now(UTC) + MAX_AHEAD:
        raise _refused("Expected a time since 1900 and not in the future.")
    return moment


def _moment(found: re.Match[str]) -> datetime:
    """Raises `ValueError` or `OverflowError` for a time that does not exist."""
    second = int(found["second"] or 0)
    is_leap = second == 60  # Clocks count no such second: it becomes the one after it.
    digits = re.sub(r"\D", "", found["date"] + found["minute"]) + f"{second - is_leap:02d}"
    local = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(
        microsecond=int((found["fraction"] or "").ljust(6, "0")[:6]), tzinfo=UTC
    )
    offset = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    moment = local + offset if found["sign"] == "-" else local - offset
    if is_leap and (moment.hour, moment.minute) != (23, 59):
        raise ValueError("no leap second")
    return moment + timedelta(seconds=is_leap)


def _refused(message: str) -> PydanticCustomError:
    return PydanticCustomError("invalid_request", message)


Timestamp = Annotated[
    datetime,
    BeforeValidator(parse_timestamp, json_schema_input_type=str),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:30:00Z"]),
]
