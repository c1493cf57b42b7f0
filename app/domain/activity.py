"""What a wearer is doing along a strip, and the port behind which it is recognized."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np

from app.domain.captures import EcgStrip
from app.domain.scores import ActivityEstimate

UNKNOWN_ACTIVITY: Final = "unknown"

T = TypeVar("T")
Pieces = Generator[None, None, T]
"""Long work that stops between pieces of a few tenths of a second, so that others get their turn."""


@dataclass(frozen=True)
class ActivitySegment:
    """One activity over a few seconds.

    Attributes:
        start_s, end_s: Seconds of the strip.
        activity: The most probable one; `unknown` where the signal allows no call.
        probabilities: Calibrated, of all activities; empty where unknown.
        heart_rate_bpm: None with too few beats.
        quality: 0 … 1.
    """

    start_s: float
    end_s: float
    activity: str
    probabilities: Mapping[str, float]
    heart_rate_bpm: float | None
    quality: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def known(self) -> bool:
        """Whether the signal allowed a call."""
        return self.activity != UNKNOWN_ACTIVITY

    @property
    def probability(self) -> float | None:
        """Of the activity named; None where unknown."""
        return self.probabilities.get(self.activity)


@dataclass(frozen=True)
class ActivityTimeline:
    """A strip's segments in order of time, without gaps or overlap, and what they come to.

    Attributes:
        activity: That of most of the time that allowed a call; `unknown` if none did.
        probabilities: The share of that time to be expected of each activity; empty if there was none.
        groups: The same of coarser activities.
        heart_rate_bpm: Median over the segments.
        quality: Mean over the time that allowed a call, or over all of it if none did.
        seconds: That allowed a call.
    """

    segments: tuple[ActivitySegment, ...]
    activity: str
    probabilities: Mapping[str, float]
    groups: Mapping[str, float]
    heart_rate_bpm: float | None
    quality: float
    seconds: float
    encoder: str

    @classmethod
    def of(cls, segments: Sequence[ActivitySegment], card: ActivityCard) -> ActivityTimeline:
        """Sum up segments; there is at least one."""
        called = [segment for segment in segments if segment.known]
        judged = called or list(segments)
        probabilities = {
            name: _mean_over_time(called, [segment.probabilities[name] for segment in called])
            for name in (card.classes if called else ())
        }
        rates = [segment.heart_rate_bpm for segment in segments if segment.heart_rate_bpm is not None]
        return cls(
            segments=tuple(segments),
            activity=max(probabilities, key=lambda name: probabilities[name], default=UNKNOWN_ACTIVITY),
            probabilities=probabilities,
            groups={
                group: sum(probabilities[name] for name in names)
                for group, names in (card.groups.items() if called else ())
            },
            heart_rate_bpm=float(np.median(rates)) if rates else None,
            quality=_mean_over_time(judged, [segment.quality for segment in judged]),
            seconds=sum(segment.duration_s for segment in called),
            encoder=card.encoder_id,
        )


class ActivityCard(NamedTuple):
    """What is published about a loaded activity bundle.

    Attributes:
        classes: Activities in the order of all probabilities.
        groups: Coarser activities, each with the classes it adds up.
    """

    id: str
    version: str
    sha256: str
    licence: str
    training_data: Sequence[str]
    operating_points: Sequence[Mapping[str, Any]]
    classes: Sequence[str]
    groups: Mapping[str, Sequence[str]]

    @property
    def encoder_id(self) -> str:
        return f"{self.id}@{self.version}"


class ActivityRecognizer(Protocol):
    """Tells what a wearer is doing from one lead of ECG."""

    @property
    def card(self) -> ActivityCard: ...

    def baseline(self, resting: EcgStrip) -> object:
        """What this wearer's ECG is like at rest; opaque, and health data.

        Raises `FailureToAcquireError` with a code of the contract.
        """

    def timeline(self, recording: EcgStrip, baseline: object | None) -> Pieces[tuple[ActivitySegment, ...]]:
        """Segments of a strip of up to an hour, at least one of which allowed a call.

        Raises `FailureToAcquireError` with a code of the contract.
        """

    def estimate(self, strip: object) -> ActivityEstimate:
        """The one activity of a strip that was encoded (`EcgFacts.strip`): nothing is conditioned again."""


def _mean_over_time(segments: Sequence[ActivitySegment], values: Sequence[float]) -> float:
    seconds = [segment.duration_s for segment in segments]
    return float(np.average(values, weights=seconds))
