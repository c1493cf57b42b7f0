"""`POST /quality`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import RequestSchema, ResponseSchema, absentable, described, seconds_or_none
from app.api.schemas.example_strips import EXAMPLE_PROBE
from app.api.schemas.recordings import AnyRecording, check_total, to_domain
from app.api.schemas.verify import MAX_PROBE_RECORDINGS, MAX_PROBE_S
from app.domain.captures import Capture

if TYPE_CHECKING:
    from app.services.quality import QualityReport


class QualityBody(RequestSchema):
    """Recordings to be judged; nothing is stored."""

    recordings: list[AnyRecording] = Field(
        min_length=1,
        max_length=MAX_PROBE_RECORDINGS,
        description="Up to 10 recordings, 300 s in all.",
        examples=[[EXAMPLE_PROBE]],
    )

    @model_validator(mode="after")
    def _check(self) -> QualityBody:
        check_total(self.recordings, MAX_PROBE_S)
        return self

    def to_domain(self) -> tuple[Capture, ...]:
        return to_domain(self.recordings)


class QualityReportAnswer(ResponseSchema):
    """What one recording is good for."""

    index: int = described("Place in the request's recordings, from 0.", example=0)
    accepted: bool = described("Whether enrollment and comparison would use it.", example=True)
    score: float = described("Quality, 0 to 1.", example=0.83)
    reasons: list[str] = described("What lowers the quality.", example=[])
    code: str | SkipJsonSchema[None] = absentable("Why it is not accepted.", example="signal_flat")
    seconds: float | SkipJsonSchema[None] = absentable("Accepted seconds (ECG).", example=18.5)
    heart_rate_bpm: float | SkipJsonSchema[None] = absentable("Median heart rate (ECG).", example=71.0)


class QualityAnswer(ResponseSchema):
    """One report per recording, in their order."""

    recordings: list[QualityReportAnswer] = described("The reports.", example=[])

    @classmethod
    def of(cls, reports: Iterable[QualityReport]) -> QualityAnswer:
        return cls(
            recordings=[
                QualityReportAnswer(
                    index=index,
                    accepted=report.accepted,
                    score=round(report.score, 6),
                    reasons=list(report.reasons),
                    code=report.code,
                    seconds=seconds_or_none(report.evidence.seconds if report.evidence else None),
                    heart_rate_bpm=(
                        None if report.heart_rate_bpm is None else round(report.heart_rate_bpm, 1)
                    ),
                )
                for index, report in enumerate(reports)
            ]
        )
