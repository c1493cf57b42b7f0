"""What one enrollment reads and writes, in few round trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.references import Modality, Reference
from app.domain.subjects import Gallery, GalleryTransform, Subject


@dataclass(frozen=True)
class Claim:
    """A gallery that is locked for one enrollment, and what it holds.

    Attributes:
        gallery: As it was last committed, before `revision` was taken.
        subject: Who is enrolled under the name, if anybody is.
        transforms: The newest, by modality and encoder id.
    """

    gallery: Gallery
    revision: int
    subject: Subject | None
    transforms: Mapping[tuple[Modality, str], GalleryTransform]


class EnrollmentRepository(Protocol):
    """What every enrollment asks and files: it waits for the database as seldom as it can."""

    def claim(self, gallery: str, subject_id: str, subject_uuid: UUID) -> Claim | None:
        """Take the next revision of a gallery for a subject, as `changes.record` does, and look into it.

        Args:
            gallery: Its name.
            subject_id: The name to look for.
            subject_uuid: What the change is filed under.

        Returns:
            `None` if there is no such gallery.
        """

    def add(self, subject: Subject, references: Sequence[Reference]) -> None:
        """A new subject with its references; after `claim`, whose lock decides a race."""
