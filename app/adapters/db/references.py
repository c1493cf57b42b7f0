"""Biometric references, and the fast read of all of them that the rebuild needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update

from app.adapters.db.reference_scan import scan_gallery, scan_subjects
from app.adapters.db.rows import biometric_references, subjects
from app.domain.ports import PageCursor, ReferenceRow
from app.domain.references import Modality, Reference, TemplateKey

_TABLE = biometric_references.c
_INSERT = insert(biometric_references)
_IN_ORDER = (
    select(
        _TABLE.id,
        subjects.c.gallery_uuid,
        _TABLE.subject_uuid,
        _TABLE.modality,
        _TABLE.position,
        _TABLE.encoder,
        _TABLE.transform_version,
        _TABLE.ciphertext,
        _TABLE.quality,
        _TABLE.seconds,
        _TABLE.session,
        _TABLE.captured_at,
        _TABLE.created_at,
    )
    .select_from(biometric_references.join(subjects))
    .order_by(_TABLE.subject_uuid, _TABLE.created_at, _TABLE.id)
)
_OF_SUBJECT = _IN_ORDER.where(_TABLE.subject_uuid == bindparam("wanted_subject"))
_KEYS = (
    select(_TABLE.modality, _TABLE.position, _TABLE.encoder, func.count())
    .where(_TABLE.subject_uuid == bindparam("wanted_subject"))
    .group_by(_TABLE.modality, _TABLE.position, _TABLE.encoder)
)
_PAGE = _OF_SUBJECT.limit(bindparam("wanted_limit"))
_PAGE_AFTER = _PAGE.where(
    tuple_(_TABLE.created_at, _TABLE.id)
    > tuple_(
        bindparam("after_time", type_=_TABLE.created_at.type), bindparam("after_id", type_=_TABLE.id.type)
    )
)
_ONE = _OF_SUBJECT.where(_TABLE.id == bindparam("wanted_id"))
_REMOVE = delete(biometric_references).where(_TABLE.id == bindparam("wanted_id"))
_REPLACE = (
    update(biometric_references)
    .where(_TABLE.id == bindparam("wanted_id"))
    .values(transform_version=bindparam("new_version"), ciphertext=bindparam("new_ciphertext"))
)
_PER_ENCODER = select(_TABLE.encoder, func.count()).group_by(_TABLE.encoder)


class SqlReferences:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_all(self, references: Sequence[Reference]) -> None:
        if references:
            self._connection.execute(_INSERT, [_to_row(reference) for reference in references])

    def of_subject(self, subject_uuid: UUID) -> list[Reference]:
        rows = self._connection.execute(_OF_SUBJECT, {"wanted_subject": subject_uuid})
        return [_to_reference(row) for row in rows]

    def keys_of(self, subject_uuid: UUID) -> dict[TemplateKey, int]:
        rows = self._connection.execute(_KEYS, {"wanted_subject": subject_uuid})
        return {
            TemplateKey(Modality(modality), position, encoder): n for modality, position, encoder, n in rows
        }

    def page(self, subject_uuid: UUID, after: PageCursor | None, limit: int) -> list[Reference]:
        wanted: dict[str, Any] = {"wanted_subject": subject_uuid, "wanted_limit": limit}
        if after is None:
            rows = self._connection.execute(_PAGE, wanted)
        else:
            wanted |= {"after_time": after.created_at, "after_id": after.id}
            rows = self._connection.execute(_PAGE_AFTER, wanted)
        return [_to_reference(row) for row in rows]

    def get(self, subject_uuid: UUID, reference_id: UUID) -> Reference | None:
        row = self._connection.execute(
            _ONE, {"wanted_subject": subject_uuid, "wanted_id": reference_id}
        ).one_or_none()
        return None if row is None else _to_reference(row)

    def remove(self, reference_id: UUID) -> None:
        self._connection.execute(_REMOVE, {"wanted_id": reference_id})

    def replace_ciphertexts(self, rows: Sequence[tuple[UUID, int, bytes]]) -> None:
        if rows:
            self._connection.execute(
                _REPLACE,
                [
                    {"wanted_id": reference_id, "new_version": version, "new_ciphertext": ciphertext}
                    for reference_id, version, ciphertext in rows
                ],
            )

    def encoder_counts(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in self._connection.execute(_PER_ENCODER)}

    def scan(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID] | None = None) -> Iterable[ReferenceRow]:
        if subject_uuids is None:
            return scan_gallery(self._connection, gallery_uuid)
        return scan_subjects(self._connection, gallery_uuid, subject_uuids)


def _to_row(reference: Reference) -> dict[str, Any]:
    return {
        "id": reference.id,
        "subject_uuid": reference.subject_uuid,
        "modality": str(reference.modality),
        "position": reference.position,
        "encoder": reference.encoder,
        "transform_version": reference.transform_version,
        "ciphertext": reference.ciphertext,
        "quality": reference.quality,
        "seconds": reference.seconds,
        "session": reference.session,
        "captured_at": reference.captured_at,
        "created_at": reference.created_at,
    }


def _to_reference(row: Sequence[Any]) -> Reference:
    (
        reference_id,
        gallery_uuid,
        subject_uuid,
        modality,
        position,
        encoder,
        transform_version,
        ciphertext,
        quality,
        seconds,
        session,
        captured_at,
        created_at,
    ) = row
    return Reference(
        id=reference_id,
        gallery_uuid=gallery_uuid,
        subject_uuid=subject_uuid,
        modality=Modality(modality),
        position=position,
        encoder=encoder,
        transform_version=transform_version,
        ciphertext=ciphertext,
        quality=quality,
        seconds=seconds,
        session=session,
        captured_at=captured_at,
        created_at=created_at,
    )
