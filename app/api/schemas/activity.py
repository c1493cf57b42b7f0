"""``POST /activity``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from app.api.schemas.base import RequestSchema, ResponseSchema, described
from app.api.schemas.recordings import EXAMPLE_RECORDING, ActivityRecording

if TYPE_CHECKING:
    from app.services.activity import ActivityTimeline


class ActivityBody(RequestSchema):
    """One ECG strip of up to an hour."""

    recording: ActivityRecording = Field(description="The strip.", examples=[EXAMPLE_RECORDING])


class ActivitySpanAnswer(ResponseSchema):
    """One stretch of one activity."""

    start_s: float = described("From, in seconds of the strip.", example=0.0)
    end_s: float = described("To, in seconds of the strip.", example=12.5)
    activity: str = described("What the wearer was doing.", example="walk")
    probability: float = described("How probable that is.", example=0.91)


class ActivityAnswer(ResponseSchema):
    """What the wearer was doing."""

    activity: str = described("The activity of most of the strip.", example="rest")
    probabilities: dict[str, float] = described("By activity; they add up to 1.", example={"rest": 1.0})
    timeline: list[ActivitySpanAnswer] = described("In order of time.", example=[])
    heart_rate_bpm: float | None = described("Median heart rate.", example=71.0)
    quality: float = described("Quality of the strip, 0 to 1.", example=0.8)
    encoder: str = described("Encoder that told it.", example="activity@2026.11")

    @classmethod
    def of(cls, timeline: ActivityTimeline) -> ActivityAnswer:
        return cls(
            activity=timeline.activity,
            probabilities={name: round(p, 6) for name, p in timeline.probabilities.items()},
            timeline=[
                ActivitySpanAnswer(
                    start_s=span.start_s,
                    end_s=span.end_s,
                    activity=span.activity,
                    probability=round(span.probability, 6),
                )
                for span in timeline.timeline
            ],
            heart_rate_bpm=timeline.heart_rate_bpm,
            quality=round(timeline.quality, 6),
            encoder=timeline.encoder,
        )
