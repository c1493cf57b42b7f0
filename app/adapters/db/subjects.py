"""Subjects, and their erasure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_, update

from app.adapters.db.rows import biometric_references, idempotency_keys, subjects
from app.domain.ports import PageCursor
from app.domain.subjects import Consent, Subject

BATCH = 10_000  # Bound parameters of one IN list: SQLite allows 32 766, PostgreSQL 65 535.

_COLUMNS = (
    subjects.c.uuid,
    subjects.c.gallery_uuid,
    subjects.c.subject_id,
    subjects.c.wrapped_key,
    subjects.c.consent_text_id,
    subjects.c.consent_given_at,
    subjects.c.created_at,
)
_INSERT = insert(subjects)
_OF_GALLERY = select(*_COLUMNS).where(subjects.c.gallery_uuid == bindparam("wanted_gallery"))
_BY_NAME = _OF_GALLERY.where(subjects.c.subject_id == bindparam("wanted_name"))
_BY_UUIDS = _OF_GALLERY.where(subjects.c.uuid.in_(bindparam("wanted", expanding=True)))
_PAGE = _OF_GALLERY.order_by(subjects.c.created_at, subjects.c.uuid).limit(bindparam("wanted_limit"))
_PAGE_AFTER = _PAGE.where(
    tuple_(subjects.c.created_at, subjects.c.uuid)
    > tuple_(
        bindparam("after_time", type_=subjects.c.created_at.type),
        bindparam("after_uuid", type_=subjects.c.uuid.type),
    )
)
_ANSWERS = delete(idempotency_keys).where(idempotency_keys.c.subject_uuid == bindparam("wanted"))
_REFERENCES = delete(biometric_references).where(biometric_references.c.subject_uuid == bindparam("wanted"))
_SUBJECT = delete(subjects).where(subjects.c.uuid == bindparam("wanted"))


class SqlSubjects:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, subject: Subject) -> None:
        self.add_all((subject,))

    def add_all(self, many: Sequence[Subject]) -> None:
        if many:
            self._connection.execute(_INSERT, [_to_row(subject) for subject in many])

    def by_name(self, gallery_uuid: UUID, subject_id: str) -> Subject | None:
        row = self._connection.execute(
            _BY_NAME, {"wanted_gallery": gallery_uuid, "wanted_name": subject_id}
        ).one_or_none()
        return None if row is None else _to_subject(row)

    def by_uuids(self, gallery_uuid: UUID, uuids: Sequence[UUID]) -> list[Subject]:
        found: list[Subject] = []
        for start in range(0, len(uuids), BATCH):
            wanted = {"wanted_gallery": gallery_uuid, "wanted": list(uuids[start : start + BATCH])}
            found.extend(_to_subject(row) for row in self._connection.execute(_BY_UUIDS, wanted))
        return found

    def page(self, gallery_uuid: UUID, after: PageCursor | None, limit: int) -> list[Subject]:
        wanted: dict[str, Any] = {"wanted_gallery": gallery_uuid, "wanted_limit": limit}
        if after is None:
            rows = self._connection.execute(_PAGE, wanted)
        else:
            wanted |= {"after_time": after.created_at, "after_uuid": after.id}
            rows = self._connection.execute(_PAGE_AFTER, wanted)
        return [_to_subject(row) for row in rows]

    def set_consent(self, subject: Subject) -> None:
        text_id, given_at = _consent_columns(subject.consent)
        self._connection.execute(
            update(subjects)
            .where(subjects.c.uuid == subject.uuid)
            .values(consent_text_id=text_id, consent_given_at=given_at)
        )

    def remove(self, subject_uuid: UUID) -> None:
        # References first and by name: erasure must not hang on a pragma that arms the cascade.
        for statement in (_ANSWERS, _REFERENCES, _SUBJECT):
            self._connection.execute(statement, {"wanted": subject_uuid})


def _consent_columns(consent: Consent | None) -> tuple[Any, Any]:
    return (None, None) if consent is None else (consent.text_id, consent.given_at)


def _to_row(subject: Subject) -> dict[str, Any]:
    text_id, given_at = _consent_columns(subject.consent)
    return {
        "uuid": subject.uuid,
        "gallery_uuid": subject.gallery_uuid,
        "subject_id": subject.subject_id,
        "wrapped_key": subject.wrapped_key,
        "consent_text_id": text_id,
        "consent_given_at": given_at,
        "created_at": subject.created_at,
    }


def _to_subject(row: Sequence[Any]) -> Subject:
    uuid, gallery_uuid, subject_id, wrapped_key, text_id, given_at, created_at = row
    return Subject(
        uuid=uuid,
        gallery_uuid=gallery_uuid,
        subject_id=subject_id,
        wrapped_key=wrapped_key,
        consent=None if text_id is None else Consent(text_id, given_at),
        created_at=created_at,
    )
