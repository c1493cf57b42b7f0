"""`POST /enroll`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import (
    GALLERY,
    Name,
    OrAbsent,
    RequestSchema,
    ResponseSchema,
    SubjectName,
    absentable,
    described,
    seconds_or_none,
)
from app.api.schemas.example_strips import EXAMPLE_RECORDING
from app.api.schemas.recordings import Recordings, to_domain
from app.api.schemas.timestamps import Timestamp
from app.domain.references import Modality
from app.domain.subjects import Consent
from app.services.enrollment import EnrollmentRequest

if TYPE_CHECKING:
    from app.services.enrollment import EnrollmentOutcome


class ConsentBody(RequestSchema):
    """Which text the subject agreed to, and when."""

    text_id: str = Field(
        pattern=r"^[!-~]([ -~]{0,254}[!-~])?$",
        description="Names the text: up to 256 printable ASCII characters.",
        examples=["privacy-notice-2026-03"],
    )
    given_at: Timestamp = Field(description="When consent was given.", examples=["2026-11-20T09:30:00Z"])

    def to_domain(self) -> Consent:
        return Consent(text_id=self.text_id, given_at=self.given_at)


class EnrollBody(RequestSchema):
    """Recordings of one person, to be stored as references."""

    subject_id: SubjectName = Field(description="Your name for the person.", examples=["operator-17"])
    gallery: OrAbsent[Name] = Field(
        None, description=f"Gallery to enroll in. {GALLERY}", examples=["default"]
    )
    recordings: Recordings = Field(examples=[[EXAMPLE_RECORDING]])
    consent: OrAbsent[ConsentBody] = Field(
        None,
        description="The subject's consent.",
        examples=[{"text_id": "privacy-notice-2026-03", "given_at": "2026-11-20T09:30:00Z"}],
    )
    force: bool = Field(
        default=False,
        description="Enroll although the recordings do not match the subject (scope admin).",
        examples=[False],
    )

    def to_domain(self, home_gallery: str) -> EnrollmentRequest:
        return EnrollmentRequest(
            gallery=self.gallery or home_gallery,
            subject_id=self.subject_id,
            recordings=to_domain(self.recordings),
            consent=self.consent.to_domain() if self.consent else None,
            force=self.force,
        )


class EnrolledReferenceAnswer(ResponseSchema):
    """One stored reference."""

    id: UUID = described("The reference's own id.", example="01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10")
    modality: Modality = described("Modality of the recording.", example="ecg")
    position: str = described("Lead or finger.", example="I")
    encoder: str = described("Encoder that made the template.", example="ecg@2026.11")
    quality: float = described("Quality of the recording, 0 to 1.", example=0.83)
    seconds: float | SkipJsonSchema[None] = absentable("Accepted seconds (ECG).", example=18.5)
    heart_rate_bpm: float | SkipJsonSchema[None] = absentable(
        "Median heart rate (ECG); half or twice the true one shows a wrong `fs_hz`.", example=71.0
    )
    warnings: list[str] | SkipJsonSchema[None] = absentable(
        "What looks as if the strip had been read wrongly: `implausible_heart_rate` (below 40 or above 130"
        " per minute), `implausible_beat_width`, `repeated_values`.",
        example=["implausible_heart_rate"],
    )


class RejectedRecordingAnswer(ResponseSchema):
    """One recording that could not be used."""

    index: int = described("Place in the request's recordings, from 0.", example=1)
    code: str = described("Why.", example="signal_flat")
    detail: str = described("One sentence.", example="The strip is constant.")


class EnrollAnswer(ResponseSchema):
    """What was stored."""

    subject_id: str = described("The subject.", example="operator-17")
    gallery: str = described("The gallery.", example="default")
    references: list[EnrolledReferenceAnswer] = described("Stored references.", example=[])
    rejected: list[RejectedRecordingAnswer] = described("Recordings that were not used.", example=[])
    warnings: list[str] | SkipJsonSchema[None] = absentable(
        "What the operator should know.", example=["The gallery is too large for its policy."]
    )
    possible_duplicate_of: list[str] | SkipJsonSchema[None] = absentable(
        "Other names of the gallery that may be this person, the most alike first (scope admin; not repeated"
        " with an Idempotency-Key). A hint: chance makes one in fifty enrollments, more below 30 subjects,"
        " where nothing is known of the gallery's sensor.",
        example=["operator-71"],
    )
    created_at: datetime = described("When the references were stored.", example="2026-11-20T09:30:00Z")

    @classmethod
    def of(cls, outcome: EnrollmentOutcome) -> EnrollAnswer:
        return cls(
            subject_id=outcome.subject_id,
            gallery=outcome.gallery,
            references=[
                EnrolledReferenceAnswer(
                    id=reference.id,
                    modality=reference.modality,
                    position=reference.position,
                    encoder=reference.encoder,
                    quality=round(reference.evidence.quality, 6),
                    seconds=seconds_or_none(reference.evidence.seconds),
                    heart_rate_bpm=None
                    if reference.heart_rate_bpm is None
                    else round(reference.heart_rate_bpm, 1),
                    warnings=list(reference.warnings) or None,
                )
                for reference in outcome.references
            ],
            rejected=[
                RejectedRecordingAnswer(index=one.index, code=one.code, detail=one.detail)
                for one in outcome.rejected
            ],
            warnings=list(outcome.warnings) or None,
            possible_duplicate_of=list(outcome.possible_duplicate_of) or None,
            created_at=outcome.created_at,
        )
