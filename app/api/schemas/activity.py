"""`POST /activity`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from app.api.schemas.base import OrAbsent, RequestSchema, ResponseSchema, described
from app.api.schemas.example_strips import EXAMPLE_RECORDING
from app.api.schemas.recordings import ActivityRecording, EcgRecording
from app.domain.activity import ActivitySegment, ActivityTimeline
from app.domain.captures import EcgStrip

_PROBABILITIES = {"rest": 0.02, "arm_movements": 0.05, "walk": 0.91, "run": 0.01, "squats": 0.01}


class ActivityBody(RequestSchema):
    """One ECG strip of up to an hour."""

    recording: ActivityRecording = Field(description="The strip.", examples=[EXAMPLE_RECORDING])
    rest: OrAbsent[EcgRecording] = Field(
        None,
        description="The same wearer at rest, from the same sensor, best 20 s or more: makes calls surer.",
        examples=[EXAMPLE_RECORDING],
    )

    def to_domain(self) -> tuple[EcgStrip, EcgStrip | None]:
        return self.recording.to_domain(), None if self.rest is None else self.rest.to_domain()


class ActivitySegmentAnswer(ResponseSchema):
    """One activity over a few seconds."""

    start_s: float = described("From, in seconds of the strip.", example=0.0)
    end_s: float = described("To, in seconds of the strip.", example=3.0)
    activity: str = described("The most probable one; unknown if the signal allows no call.", example="walk")
    probability: float | None = described("How probable that is; null if unknown.", example=0.91)
    probabilities: dict[str, float] = described(
        "Of all activities; they add up to 1. Empty if unknown.", example=_PROBABILITIES
    )
    heart_rate_bpm: float | None = described("Null with too few beats.", example=104.0)
    quality: float = described("Quality of the signal, 0 to 1.", example=0.8)

    @classmethod
    def of(cls, segment: ActivitySegment) -> ActivitySegmentAnswer:
        return cls(
            start_s=round(segment.start_s, 3),
            end_s=round(segment.end_s, 3),
            activity=segment.activity,
            probability=_rounded(segment.probability, 4),
            probabilities=_shares(segment.probabilities),
            heart_rate_bpm=_rounded(segment.heart_rate_bpm, 1),
            quality=round(segment.quality, 4),
        )


class ActivityAnswer(ResponseSchema):
    """What the wearer was doing."""

    activity: str = described(
        "The activity of most of the time that allowed a call; unknown if none did.", example="walk"
    )
    probabilities: dict[str, float] = described(
        "Share of that time to be expected of each activity; they add up to 1.", example=_PROBABILITIES
    )
    groups: dict[str, float] = described(
        "The same for coarser activities, which are recognized more reliably.",
        example={"rest": 0.02, "light": 0.96, "vigorous": 0.02},
    )
    timeline: list[ActivitySegmentAnswer] = described("In order of time, without gaps.", example=[])
    heart_rate_bpm: float | None = described("Median heart rate.", example=71.0)
    quality: float = described("Quality of what allowed a call, 0 to 1.", example=0.8)
    seconds: float = described("Seconds that allowed a call.", example=58.5)
    encoder: str = described("Bundle that recognized it.", example="activity@2026.11.3")

    @classmethod
    def of(cls, timeline: ActivityTimeline) -> ActivityAnswer:
        return cls(
            activity=timeline.activity,
            probabilities=_shares(timeline.probabilities),
            groups=_shares(timeline.groups),
            timeline=[ActivitySegmentAnswer.of(segment) for segment in timeline.segments],
            heart_rate_bpm=_rounded(timeline.heart_rate_bpm, 1),
            quality=round(timeline.quality, 4),
            seconds=round(timeline.seconds, 3),
            encoder=timeline.encoder,
        )


def _shares(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {name: round(probability, 4) + 0.0 for name, probability in probabilities.items()}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
