"""`/subjects`: metadata only, never a vector."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import ResponseSchema, absentable, described, seconds_or_none
from app.domain.references import Modality, Reference
from app.domain.subjects import Subject

if TYPE_CHECKING:
    from app.services.directory import SubjectView


class ConsentAnswer(ResponseSchema):
    """Which text the subject agreed to, and when."""

    text_id: str = described("Names the text.", example="privacy-notice-2026-03")
    given_at: datetime = described("When consent was given.", example="2026-11-20T09:30:00Z")


class SubjectAnswer(ResponseSchema):
    """One enrolled subject."""

    subject_id: str = described("Your name for the person.", example="operator-17")
    gallery: str = described("The gallery.", example="default")
    consent: ConsentAnswer | SkipJsonSchema[None] = absentable(
        "The subject's consent.", example={"text_id": "t-1", "given_at": "2026-11-20T09:30:00Z"}
    )
    created_at: datetime = described("When the subject was first enrolled.", example="2026-11-20T09:30:00Z")

    @classmethod
    def of(cls, subject: Subject, gallery: str) -> SubjectAnswer:
        return cls(
            subject_id=subject.subject_id,
            gallery=gallery,
            consent=_consent(subject),
            created_at=subject.created_at,
        )


class SubjectDetailAnswer(SubjectAnswer):
    """One enrolled subject, with the count of its references."""

    references: int = described("How many references are stored.", example=3)

    @classmethod
    def of_view(cls, view: SubjectView, gallery: str) -> SubjectDetailAnswer:
        subject = view.subject
        return cls(
            subject_id=subject.subject_id,
            gallery=gallery,
            consent=_consent(subject),
            created_at=subject.created_at,
            references=view.references,
        )


class SubjectListAnswer(ResponseSchema):
    """Subjects in order of their enrollment."""

    items: list[SubjectAnswer] = described("The subjects.", example=[])
    next_cursor: str | None = described("Ask with it for what follows; null at the end.", example=None)


class ReferenceAnswer(ResponseSchema):
    """Metadata of one reference."""

    id: UUID = described("The reference's own id.", example="01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10")
    modality: Modality = described("Modality of the recording.", example="ecg")
    position: str = described("Lead or finger.", example="I")
    encoder: str = described("Encoder that made the template.", example="ecg@2026.11")
    quality: float = described("Quality of the recording, 0 to 1.", example=0.83)
    seconds: float | SkipJsonSchema[None] = absentable("Accepted seconds (ECG).", example=18.5)
    captured_at: datetime | SkipJsonSchema[None] = absentable(
        "When the recording was taken.", example="2026-11-20T09:30:00Z"
    )
    created_at: datetime = described("When the reference was stored.", example="2026-11-20T09:30:00Z")

    @classmethod
    def of(cls, reference: Reference) -> ReferenceAnswer:
        return cls(
            id=reference.id,
            modality=reference.modality,
            position=reference.position,
            encoder=reference.encoder,
            quality=round(reference.evidence.quality, 6),
            seconds=seconds_or_none(reference.evidence.seconds),
            captured_at=reference.captured_at,
            created_at=reference.created_at,
        )


class ReferenceListAnswer(ResponseSchema):
    """References in order of their enrollment."""

    items: list[ReferenceAnswer] = described("The references.", example=[])
    next_cursor: str | None = described("Ask with it for what follows; null at the end.", example=None)


def _consent(subject: Subject) -> ConsentAnswer | None:
    if subject.consent is None:
        return None
    return ConsentAnswer(text_id=subject.consent.text_id, given_at=subject.consent.given_at)
