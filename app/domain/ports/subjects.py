"""Subjects in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.domain.ports.pages import PageCursor
from app.domain.subjects import Subject


class SubjectRepository(Protocol):
    def add(self, subject: Subject) -> None:
        """After `changes.record`, whose lock decides a race; otherwise the loser has to try again."""

    def add_all(self, many: Sequence[Subject]) -> None: ...

    def by_name(self, gallery_uuid: UUID, subject_id: str) -> Subject | None: ...

    def by_uuids(self, gallery_uuid: UUID, uuids: Sequence[UUID]) -> list[Subject]: ...

    def page(self, gallery_uuid: UUID, after: PageCursor | None, limit: int) -> list[Subject]: ...

    def set_consent(self, subject: Subject) -> None: ...

    def remove(self, subject_uuid: UUID) -> None:
        """Row, references and data key; stored answers that name the subject too."""
