"""Subjects, and their erasure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, tuple_, update

from app.adapters.db.column_types import microseconds
from app.adapters.db.erasure import note_erasure
from app.adapters.db.row_binding import UNBOUND, RowBinding, subject_values
from app.adapters.db.tables import biometric_references, idempotency_keys, subjects
from app.domain.ports.pages import PageCursor
from app.domain.subjects import Consent, Subject

_LONGEST_LIST = 10_000  # Bound parameters of one IN list: SQLite allows 32 766, PostgreSQL 65 535.

_ORDER = (subjects.c.created_at, subjects.c.uuid)
_INSERT = insert(subjects)
_BY_NAME = select(subjects).where(
    subjects.c.gallery_uuid == bindparam("gallery"), subjects.c.subject_id == bindparam("name")
)
# Without the gallery: SQLite would rather walk through all of it than look up a long list.
_BY_UUIDS = select(subjects).where(subjects.c.uuid.in_(bindparam("uuids", expanding=True)))


class SqlSubjects:
    def __init__(self, connection: Connection, binding: RowBinding = UNBOUND) -> None:
        self._connection = connection
        self._binding = binding

    def add(self, subject: Subject) -> None:
        self.add_all((subject,))

    def add_all(self, many: Sequence[Subject]) -> None:
        if many:
            self._connection.execute(_INSERT, [self._to_row(subject) for subject in many])

    def by_name(self, gallery_uuid: UUID, subject_id: str) -> Subject | None:
        row = self._connection.execute(_BY_NAME, {"gallery": gallery_uuid, "name": subject_id}).first()
        return None if row is None else self._to_subject(row)

    def by_uuids(self, gallery_uuid: UUID, uuids: Sequence[UUID]) -> list[Subject]:
        found: list[Subject] = []
        for start in range(0, len(uuids), _LONGEST_LIST):
            some = {"uuids": uuids[start : start + _LONGEST_LIST]}
            found.extend(map(self._to_subject, self._connection.execute(_BY_UUIDS, some)))
        return [subject for subject in found if subject.gallery_uuid == gallery_uuid]

    def page(self, gallery_uuid: UUID, after: PageCursor | None, limit: int) -> list[Subject]:
        query = select(subjects).filter_by(gallery_uuid=gallery_uuid).order_by(*_ORDER).limit(limit)
        if after is not None:
            query = query.where(tuple_(*_ORDER) > (after.created_at, after.id))
        return [self._to_subject(row) for row in self._connection.execute(query)]

    def set_consent(self, subject: Subject) -> None:
        self._connection.execute(
            update(subjects)
            .filter_by(uuid=subject.uuid)
            .values(binding=self._bound(subject), **_consent_columns(subject.consent))
        )

    def remove(self, subject_uuid: UUID) -> None:
        note_erasure(self._connection)
        # References first and by name: erasure must not hang on a pragma that arms the cascade.
        self._connection.execute(delete(idempotency_keys).filter_by(subject_uuid=subject_uuid))
        self._connection.execute(delete(biometric_references).filter_by(subject_uuid=subject_uuid))
        self._connection.execute(delete(subjects).filter_by(uuid=subject_uuid))

    def _bound(self, subject: Subject) -> bytes | None:
        return self._binding.made("subjects", _values(subject))

    def _to_row(self, subject: Subject) -> dict[str, Any]:
        return {
            "uuid": subject.uuid,
            "gallery_uuid": subject.gallery_uuid,
            "subject_id": subject.subject_id,
            "wrapped_key": subject.wrapped_key,
            "created_at": subject.created_at,
            "binding": self._bound(subject),
            **_consent_columns(subject.consent),
        }

    def _to_subject(self, row: Row[Any]) -> Subject:
        consented = row.consent_text_id is not None and row.consent_given_at is not None
        found = Subject(
            uuid=row.uuid,
            gallery_uuid=row.gallery_uuid,
            subject_id=row.subject_id,
            wrapped_key=row.wrapped_key,
            consent=Consent(row.consent_text_id, row.consent_given_at) if consented else None,
            created_at=row.created_at,
        )
        if self._binding.checked("subjects", str(row.uuid), stored_subject(row), row.binding):
            return found
        return replace(found, intact=False)


def stored_subject(row: Any) -> tuple[Any, ...]:
    """What a whole row of the table is bound to."""
    given_us = None if row.consent_given_at is None else microseconds(row.consent_given_at)
    names = (row.uuid.bytes, row.gallery_uuid.bytes, row.subject_id)
    return subject_values(*names, (row.consent_text_id, given_us), microseconds(row.created_at))


def _values(subject: Subject) -> tuple[Any, ...]:
    consent = subject.consent
    agreed = (None, None) if consent is None else (consent.text_id, microseconds(consent.given_at))
    names = (subject.uuid.bytes, subject.gallery_uuid.bytes, subject.subject_id)
    return subject_values(*names, agreed, microseconds(subject.created_at))


def _consent_columns(consent: Consent | None) -> dict[str, Any]:
    return {
        "consent_text_id": None if consent is None else consent.text_id,
        "consent_given_at": None if consent is None else consent.given_at,
    }
