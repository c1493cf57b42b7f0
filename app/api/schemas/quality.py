"""`POST /quality`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import RequestSchema, ResponseSchema, absentable, described, seconds_or_none
from app.api.schemas.example_strips import EXAMPLE_PROBE
from app.api.schemas.recordings import Recordings, to_domain
from app.domain.captures import Capture, FaceFacts, FingerprintFacts
from app.domain.image_findings import eye_distance_px, print_area_mm2
from app.domain.quality import QualityReport

EXAMPLE_PICTURE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 80" role="img">'
    "<title>What the service sees in the recordings</title>"
    '<text x="28" y="40">1 · ECG, lead I: accepted, quality 0.83</text></svg>'
)


class QualityBody(RequestSchema):
    """Recordings to be judged; nothing is stored."""

    recordings: Recordings = Field(examples=[[EXAMPLE_PROBE]])

    def to_domain(self) -> tuple[Capture, ...]:
        return to_domain(self.recordings)


class QualityReportAnswer(ResponseSchema):
    """What one recording is good for."""

    index: int = described("Place in the request's recordings, from 0.", example=0)
    accepted: bool = described("Whether enrollment and comparison would use it.", example=True)
    score: float = described("Quality, 0 to 1.", example=0.83)
    reasons: list[str] = described("What lowers the quality.", example=[])
    explanations: list[str] = described(
        "The same in sentences for people, with what to do about it.", example=[]
    )
    code: str | SkipJsonSchema[None] = absentable("Why it is not accepted.", example="signal_flat")
    seconds: float | SkipJsonSchema[None] = absentable("Accepted seconds (ECG).", example=18.5)
    heart_rate_bpm: float | SkipJsonSchema[None] = absentable("Median heart rate (ECG).", example=71.0)
    minutiae: int | SkipJsonSchema[None] = absentable(
        "How many ridge endings and forks were found (fingerprint).", example=41
    )
    ridge_period_px: float | SkipJsonSchema[None] = absentable(
        "Median distance between ridges, in pixels at 500 dpi (fingerprint).", example=9.1
    )
    print_area_mm2: float | SkipJsonSchema[None] = absentable(
        "Area that shows ridges, in square millimeters (fingerprint).", example=214.0
    )
    eye_distance_px: float | SkipJsonSchema[None] = absentable(
        "Pixels between the eyes (face).", example=84.0
    )
    quality_parts: dict[str, float] | SkipJsonSchema[None] = absentable(
        "What the quality is made of, 0 to 1 each, by name (face).", example={"sharpness": 0.9}
    )

    @classmethod
    def of(cls, index: int, report: QualityReport) -> QualityReportAnswer:
        rate, evidence, facts = report.heart_rate_bpm, report.evidence, report.facts
        answer = cls(
            index=index,
            accepted=report.accepted,
            score=round(report.score, 6),
            reasons=list(report.reasons),
            explanations=list(report.explanations),
            code=report.code,
            seconds=seconds_or_none(evidence.seconds if evidence else None),
            heart_rate_bpm=None if rate is None else round(rate, 1),
        )
        if isinstance(facts, FingerprintFacts):
            return answer.model_copy(update=_of_fingerprint(facts))
        return answer.model_copy(update=_of_face(facts)) if isinstance(facts, FaceFacts) else answer


class QualityAnswer(ResponseSchema):
    """One report per recording, in their order."""

    recordings: list[QualityReportAnswer] = described("The reports.", example=[])

    @classmethod
    def of(cls, reports: Iterable[QualityReport]) -> QualityAnswer:
        return cls(recordings=[QualityReportAnswer.of(index, report) for index, report in enumerate(reports)])


def _of_fingerprint(facts: FingerprintFacts) -> dict[str, object]:
    period_px = facts.ridge_period_px
    return {
        "minutiae": len(facts.minutiae.direction),
        "ridge_period_px": None if period_px is None else round(period_px, 2),
        "print_area_mm2": round(print_area_mm2(facts), 1),
    }


def _of_face(facts: FaceFacts) -> dict[str, object]:
    return {
        "eye_distance_px": round(eye_distance_px(facts), 1),
        "quality_parts": {name: round(float(value), 3) for name, value in facts.quality_parts.items()},
    }
