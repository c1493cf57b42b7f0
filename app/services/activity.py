"""What the wearer is doing; needs an activity bundle."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import UnprocessableError
from app.domain.references import Recording
from app.domain.subjects import ApiClient


@dataclass(frozen=True)
class ActivitySegment:
    start_s: float
    end_s: float
    activity: str
    probability: float


@dataclass(frozen=True)
class ActivityTimeline:
    """Activity over a recording, with its heart rate and quality."""

    activity: str
    probabilities: dict[str, float]
    timeline: tuple[ActivitySegment, ...]
    heart_rate_bpm: float | None
    quality: float
    encoder: str


class ActivityService:
    """Refuses as long as no bundle of kind ``activity`` can be loaded."""

    def recognise(self, caller: ApiClient, recording: Recording) -> ActivityTimeline:  # noqa: ARG002
        """Raises ``UnprocessableError`` (``modality_unavailable``)."""
        raise UnprocessableError("No activity bundle is loaded.", code="modality_unavailable")
