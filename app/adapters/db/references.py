"""Biometric references, and the fast read of all of them that the rebuild needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, tuple_, update

from app.adapters.db.column_types import microseconds
from app.adapters.db.erasure import note_erasure
from app.adapters.db.reference_scan import scan_gallery, scan_sealed_details, scan_subjects
from app.adapters.db.row_binding import UNBOUND, ReferenceValues, RowBinding
from app.adapters.db.tables import biometric_references, subjects
from app.domain.ports.pages import PageCursor
from app.domain.ports.references import ReferenceRow, Resealed
from app.domain.references import Modality, Reference, TemplateKey
from ml.runtime.evidence import Evidence

_TABLE = biometric_references.c
_ORDER = (_TABLE.created_at, _TABLE.id)
_KEY = (_TABLE.modality, _TABLE.position, _TABLE.encoder)

_MODALITIES = frozenset(Modality)

_INSERT = insert(biometric_references)
_KEYS_OF = select(*_KEY, func.count()).where(_TABLE.subject_uuid == bindparam("subject")).group_by(*_KEY)
_WITH_GALLERY = select(biometric_references, subjects.c.gallery_uuid).join_from(
    biometric_references, subjects
)


class SqlReferences:
    def __init__(self, connection: Connection, binding: RowBinding = UNBOUND) -> None:
        self._connection = connection
        self._binding = binding

    def add_all(self, references: Sequence[Reference]) -> None:
        if references:
            self._connection.execute(_INSERT, [_to_row(reference, self._binding) for reference in references])

    def of_subject(self, subject_uuid: UUID) -> list[Reference]:
        return self.page(subject_uuid, None, None)

    def keys_of(self, subject_uuid: UUID) -> dict[TemplateKey, int]:
        return {
            TemplateKey(Modality(modality), position, encoder): count
            for modality, position, encoder, count in self._connection.execute(
                _KEYS_OF, {"subject": subject_uuid}
            )
            if modality in _MODALITIES
        }

    def page(self, subject_uuid: UUID, after: PageCursor | None, limit: int | None) -> list[Reference]:
        """Without a limit: all of them."""
        query = _WITH_GALLERY.where(_TABLE.subject_uuid == subject_uuid).order_by(*_ORDER).limit(limit)
        if after is not None:
            query = query.where(tuple_(*_ORDER) > (after.created_at, after.id))
        rows = self._connection.execute(query)
        return [_to_reference(row) for row in rows if row.modality in _MODALITIES]

    def get(self, subject_uuid: UUID, reference_id: UUID) -> Reference | None:
        query = _WITH_GALLERY.where(_TABLE.subject_uuid == subject_uuid, _TABLE.id == reference_id)
        row = self._connection.execute(query).first()
        return None if row is None else _to_reference(row)

    def remove(self, reference_id: UUID) -> None:
        note_erasure(self._connection)
        self._connection.execute(delete(biometric_references).filter_by(id=reference_id))

    def replace_ciphertexts(self, rows: Sequence[Resealed]) -> None:
        for detailed in (False, True):
            some = [_resealed(row) for row in rows if (row.sealed_detail is not None) is detailed]
            if some:
                self._connection.execute(
                    update(biometric_references).where(_TABLE.id == bindparam("reference")), some
                )

    def template_count(self, gallery_uuid: UUID, encoders: Sequence[str]) -> int:
        templates = (
            select(_TABLE.subject_uuid, *_KEY)
            .join_from(biometric_references, subjects)
            .where(subjects.c.gallery_uuid == gallery_uuid, _TABLE.encoder.in_(encoders))
            .distinct()
            .subquery()
        )
        return self._connection.scalar(select(func.count()).select_from(templates)) or 0

    def encoder_counts(self) -> Mapping[str, int]:
        counts = select(_TABLE.encoder, func.count()).group_by(_TABLE.encoder)
        return {encoder: count for encoder, count in self._connection.execute(counts)}  # noqa: C416

    def scan(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID] | None = None) -> Iterable[ReferenceRow]:
        if subject_uuids is None:
            return scan_gallery(self._connection, gallery_uuid, self._binding)
        return scan_subjects(self._connection, gallery_uuid, subject_uuids, self._binding)

    def intact_count(self, encoder: str) -> int:
        rows = self._connection.execute(select(biometric_references).where(_TABLE.encoder == encoder))
        return sum(
            self._binding.holds("biometric_references", stored_values(row), row.binding) for row in rows
        )

    def sealed_details(
        self, gallery_uuid: UUID, encoders: Sequence[str], subject_uuids: Sequence[UUID] | None = None
    ) -> Iterable[tuple[bytes, bytes]]:
        return scan_sealed_details(self._connection, gallery_uuid, encoders, subject_uuids)


def stored_values(row: Any) -> tuple[Any, ...]:
    """What a whole row of the table, or the values of one, is bound to."""
    values = ReferenceValues(
        reference_id=row.id.bytes,
        subject=row.subject_uuid.bytes,
        modality=row.modality,
        position=row.position,
        encoder=row.encoder,
        quality=row.quality,
        amount=row.seconds,
        session=row.session,
        captured_us=None if row.captured_at is None else microseconds(row.captured_at),
        created_us=microseconds(row.created_at),
    )
    return tuple(values)


def _to_row(reference: Reference, binding: RowBinding) -> dict[str, Any]:
    row = _columns(reference)
    bound = binding.made("biometric_references", stored_values(SimpleNamespace(**row)))
    return row | {"binding": bound}


def _columns(reference: Reference) -> dict[str, Any]:
    return {
        "id": reference.id,
        "subject_uuid": reference.subject_uuid,
        "modality": str(reference.modality),
        "position": reference.position,
        "encoder": reference.encoder,
        "transform_version": reference.transform_version,
        "ciphertext": reference.ciphertext,
        "quality": float(reference.evidence.quality),
        "seconds": float(reference.evidence.amount),
        "session": reference.session,
        "captured_at": reference.captured_at,
        "created_at": reference.created_at,
        "sealed_detail": reference.sealed_detail,
    }


def _resealed(row: Resealed) -> dict[str, Any]:
    values: dict[str, Any] = {
        "reference": row.reference_id,
        "transform_version": row.transform_version,
        "ciphertext": row.ciphertext,
    }
    return values if row.sealed_detail is None else values | {"sealed_detail": row.sealed_detail}


def _to_reference(row: Row[Any]) -> Reference:
    return Reference(
        id=row.id,
        gallery_uuid=row.gallery_uuid,
        subject_uuid=row.subject_uuid,
        modality=Modality(row.modality),
        position=row.position,
        encoder=row.encoder,
        transform_version=row.transform_version,
        ciphertext=row.ciphertext,
        evidence=Evidence(row.seconds, Modality(row.modality).evidence_unit, row.quality),
        session=row.session,
        captured_at=row.captured_at,
        created_at=row.created_at,
        sealed_detail=row.sealed_detail,
    )
