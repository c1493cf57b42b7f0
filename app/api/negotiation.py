"""Which of several media types a client gets: `Annotated[str, Depends(Negotiated("application/json", …))]`.

RFC 9110, section 12.5.1: the most specific range of `Accept` that names a type gives its weight, the type
of the largest weight is answered, and 0 refuses it. FastAPI and Starlette leave this to applications.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from fastapi import Request

from app.domain.errors import RequestError

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE: Final = re.compile(rf"({_WORD})/({_WORD})")
_WEIGHT: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class MediaRange(NamedTuple):
    """One member of `Accept`, for example `image/*;q=0.5`."""

    type: str
    subtype: str
    weight: float

    def fits(self, media_type: str) -> int:
        """How specifically it names a media type: 3 exactly, 2 with any subtype, 1 any at all, 0 not."""
        kind, _, subtype = media_type.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return 3
        if self.subtype != "*":
            return 0
        return 2 if self.type == kind else int(self.type == "*")


class Negotiated:
    """Dependency: the media type of the answer, chosen before the body is read.

    Args:
        offered: What the route can answer; the first is the default, and wins ties.
    """

    def __init__(self, *offered: str) -> None:
        self.offered = offered

    async def __call__(self, request: Request) -> str:
        """Raises `RequestError` (`not_acceptable`) where nothing fits."""
        accepted = request.headers.getlist("accept")
        chosen = choose(",".join(accepted), self.offered) if accepted else self.offered[0]
        if chosen is None:
            raise RequestError(f"Answers here are {' or '.join(self.offered)}.", code="not_acceptable")
        return chosen


def choose(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type that a header `Accept` prefers; None if it accepts none."""
    ranges = media_ranges(accept)
    if not ranges and not accept.strip(" \t,"):
        return offered[0]  # Present and empty says nothing.
    weights = [_weight(media_type, ranges) for media_type in offered]
    heaviest = max(weights)
    return offered[weights.index(heaviest)] if heaviest > 0.0 else None


def media_ranges(accept: str) -> list[MediaRange]:
    """The members of `Accept` that are well formed; parameters other than the weight are ignored."""
    ranges = []
    for member in accept.split(","):
        media_range, *parameters = (part.strip(" \t") for part in member.split(";"))
        names = _RANGE.fullmatch(media_range.lower())
        weight = _weight_of(parameters)
        if names is not None and weight is not None:
            ranges.append(MediaRange(names[1], names[2], weight))
    return ranges


def _weight_of(parameters: Sequence[str]) -> float | None:
    """The value of `q`; None if it is malformed."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip(" \t").lower() == "q":
            return float(value) if _WEIGHT.fullmatch(value.strip(" \t")) else None
    return 1.0


def _weight(media_type: str, ranges: Sequence[MediaRange]) -> float:
    fitting = [(fit, one.weight) for one in ranges if (fit := one.fits(media_type))]
    return max(fitting)[1] if fitting else 0.0
