"""Subjects, and their erasure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, tuple_, update

from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import biometric_references, idempotency_keys, subjects
from app.domain.ports import PageCursor
from app.domain.subjects import Consent, Subject

_LONGEST_LIST = 4_096  # Bound parameters of one IN list: SQLite allows 32 766, PostgreSQL 65 535.

SUBJECT_COLUMNS = (
    subjects.c.uuid,
    subjects.c.gallery_uuid,
    subjects.c.subject_id,
    subjects.c.wrapped_key,
    subjects.c.consent_text_id,
    subjects.c.consent_given_at,
    subjects.c.created_at,
)
_OF_GALLERY = select(*SUBJECT_COLUMNS).where(subjects.c.gallery_uuid == bindparam("gallery"))
_IN_ORDER = _OF_GALLERY.order_by(subjects.c.created_at, subjects.c.uuid).limit(bindparam("count"))
_AFTER = tuple_(subjects.c.created_at, subjects.c.uuid) > tuple_(
    bindparam("after_time", type_=subjects.c.created_at.type),
    bindparam("after_uuid", type_=subjects.c.uuid.type),
)

_INSERT = Statement(insert(subjects))
_BY_NAME = Statement(_OF_GALLERY.where(subjects.c.subject_id == bindparam("named")))
_PAGE = Statement(_IN_ORDER)
_PAGE_AFTER = Statement(_IN_ORDER.where(_AFTER))
_SET_CONSENT = Statement(
    update(subjects)
    .where(subjects.c.uuid == bindparam("wanted"))
    .values(consent_text_id=bindparam("text_id"), consent_given_at=bindparam("given_at"))
)
# References first and by name: erasure must not hang on a pragma that arms the cascade.
_ERASURE = (
    Statement(delete(idempotency_keys).where(idempotency_keys.c.subject_uuid == bindparam("wanted"))),
    Statement(delete(biometric_references).where(biometric_references.c.subject_uuid == bindparam("wanted"))),
    Statement(delete(subjects).where(subjects.c.uuid == bindparam("wanted"))),
)


@cache
def _by_uuids(count: int) -> Statement:
    """Compiling costs more than running, and searches ask for every length: lists come in powers of two.

    Without the gallery: SQLite would rather walk through all of it than look up a long list.
    """
    uuids = [bindparam(f"uuid_{number}", type_=subjects.c.uuid.type) for number in range(count)]
    return Statement(select(*SUBJECT_COLUMNS).where(subjects.c.uuid.in_(uuids)))


class SqlSubjects:
    def __init__(self, within: Transaction) -> None:
        self._within = within

    def add(self, subject: Subject) -> None:
        self.add_all((subject,))

    def add_all(self, many: Sequence[Subject]) -> None:
        if many:
            _INSERT.run_many(self._within, [subject_row(subject) for subject in many])

    def by_name(self, gallery_uuid: UUID, subject_id: str) -> Subject | None:
        row = _BY_NAME.first(self._within, {"gallery": gallery_uuid, "named": subject_id})
        return None if row is None else to_subject(row)

    def by_uuids(self, gallery_uuid: UUID, uuids: Sequence[UUID]) -> list[Subject]:
        found: list[Subject] = []
        for start in range(0, len(uuids), _LONGEST_LIST):
            some = uuids[start : start + _LONGEST_LIST]
            count = 1 << (len(some) - 1).bit_length()
            values: dict[str, Any] = {f"uuid_{n}": some[min(n, len(some) - 1)] for n in range(count)}
            found.extend(map(to_subject, _by_uuids(count).rows(self._within, values)))
        return [subject for subject in found if subject.gallery_uuid == gallery_uuid]

    def page(self, gallery_uuid: UUID, after: PageCursor | None, limit: int) -> list[Subject]:
        wanted: dict[str, Any] = {"gallery": gallery_uuid, "count": limit}
        if after is None:
            rows = _PAGE.rows(self._within, wanted)
        else:
            wanted |= {"after_time": after.created_at, "after_uuid": after.id}
            rows = _PAGE_AFTER.rows(self._within, wanted)
        return [to_subject(row) for row in rows]

    def set_consent(self, subject: Subject) -> None:
        text_id, given_at = _consent_columns(subject.consent)
        _SET_CONSENT.run(self._within, {"wanted": subject.uuid, "text_id": text_id, "given_at": given_at})

    def remove(self, subject_uuid: UUID) -> None:
        self._within.erases = True
        for statement in _ERASURE:
            statement.run(self._within, {"wanted": subject_uuid})


def _consent_columns(consent: Consent | None) -> tuple[Any, Any]:
    return (None, None) if consent is None else (consent.text_id, consent.given_at)


def subject_row(subject: Subject) -> dict[str, Any]:
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


def to_subject(row: Sequence[Any]) -> Subject:
    uuid, gallery_uuid, subject_id, wrapped_key, text_id, given_at, created_at = row
    return Subject(
        uuid=uuid,
        gallery_uuid=gallery_uuid,
        subject_id=subject_id,
        wrapped_key=wrapped_key,
        consent=None if text_id is None else Consent(text_id, given_at),
        created_at=created_at,
    )
