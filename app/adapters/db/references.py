"""Biometric references, and the fast read of all of them that the rebuild needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from app.adapters.db.reference_scan import scan_gallery, scan_subjects
from app.adapters.db.rows import biometric_references, subjects
from app.adapters.db.statements import Statement, Transaction
from app.domain.ports import PageCursor, ReferenceRow
from app.domain.references import Modality, Reference, TemplateKey
from ml.runtime.evidence import Evidence

_TABLE = biometric_references.c
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
_OF_THE_SUBJECT = _TABLE.subject_uuid == bindparam("subject")
_FIRST_FEW = _IN_ORDER.where(_OF_THE_SUBJECT).limit(bindparam("count"))
_AFTER = tuple_(_TABLE.created_at, _TABLE.id) > tuple_(
    bindparam("after_time", type_=_TABLE.created_at.type), bindparam("after_id", type_=_TABLE.id.type)
)

_INSERT = Statement(insert(biometric_references))
_OF_SUBJECT = Statement(_IN_ORDER.where(_OF_THE_SUBJECT))
_KEYS = Statement(
    select(_TABLE.modality, _TABLE.position, _TABLE.encoder, func.count())
    .where(_OF_THE_SUBJECT)
    .group_by(_TABLE.modality, _TABLE.position, _TABLE.encoder)
)
_PAGE = Statement(_FIRST_FEW)
_PAGE_AFTER = Statement(_FIRST_FEW.where(_AFTER))
_ONE = Statement(_IN_ORDER.where(_OF_THE_SUBJECT, _TABLE.id == bindparam("wanted")))
_REMOVE = Statement(delete(biometric_references).where(_TABLE.id == bindparam("wanted")))
_REPLACE = Statement(
    update(biometric_references)
    .where(_TABLE.id == bindparam("wanted"))
    .values(transform_version=bindparam("new_version"), ciphertext=bindparam("new_ciphertext"))
)
_PER_ENCODER = Statement(select(_TABLE.encoder, func.count()).group_by(_TABLE.encoder))
_TEMPLATES = (
    select(_TABLE.subject_uuid, _TABLE.modality, _TABLE.position, _TABLE.encoder)
    .select_from(biometric_references.join(subjects))
    .where(subjects.c.gallery_uuid == bindparam("gallery"))
    .distinct()
    .subquery()
)
_TEMPLATES_PER_ENCODER = Statement(select(_TEMPLATES.c.encoder, func.count()).group_by(_TEMPLATES.c.encoder))


class SqlReferences:
    def __init__(self, within: Transaction) -> None:
        self._within = within

    def add_all(self, references: Sequence[Reference]) -> None:
        if references:
            _INSERT.run_many(self._within, [reference_row(reference) for reference in references])

    def of_subject(self, subject_uuid: UUID) -> list[Reference]:
        return [_to_reference(row) for row in _OF_SUBJECT.rows(self._within, {"subject": subject_uuid})]

    def keys_of(self, subject_uuid: UUID) -> dict[TemplateKey, int]:
        return {
            TemplateKey(Modality(modality), position, encoder): count
            for modality, position, encoder, count in _KEYS.rows(self._within, {"subject": subject_uuid})
        }

    def page(self, subject_uuid: UUID, after: PageCursor | None, limit: int) -> list[Reference]:
        wanted: dict[str, Any] = {"subject": subject_uuid, "count": limit}
        if after is None:
            rows = _PAGE.rows(self._within, wanted)
        else:
            wanted |= {"after_time": after.created_at, "after_id": after.id}
            rows = _PAGE_AFTER.rows(self._within, wanted)
        return [_to_reference(row) for row in rows]

    def get(self, subject_uuid: UUID, reference_id: UUID) -> Reference | None:
        row = _ONE.first(self._within, {"subject": subject_uuid, "wanted": reference_id})
        return None if row is None else _to_reference(row)

    def remove(self, reference_id: UUID) -> None:
        self._within.erases = True
        _REMOVE.run(self._within, {"wanted": reference_id})

    def replace_ciphertexts(self, rows: Sequence[tuple[UUID, int, bytes]]) -> None:
        if rows:
            _REPLACE.run_many(
                self._within,
                [
                    {"wanted": reference_id, "new_version": version, "new_ciphertext": ciphertext}
                    for reference_id, version, ciphertext in rows
                ],
            )

    def template_count(self, gallery_uuid: UUID, encoders: Sequence[str]) -> int:
        per_encoder = _TEMPLATES_PER_ENCODER.rows(self._within, {"gallery": gallery_uuid})
        return sum(count for encoder, count in per_encoder if encoder in encoders)

    def encoder_counts(self) -> Mapping[str, int]:
        return {encoder: count for encoder, count in _PER_ENCODER.rows(self._within)}  # noqa: C416

    def scan(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID] | None = None) -> Iterable[ReferenceRow]:
        if subject_uuids is None:
            return scan_gallery(self._within, gallery_uuid)
        return scan_subjects(self._within, gallery_uuid, subject_uuids)


def reference_row(reference: Reference) -> dict[str, Any]:
    return {
        "id": reference.id,
        "subject_uuid": reference.subject_uuid,
        "modality": str(reference.modality),
        "position": reference.position,
        "encoder": reference.encoder,
        "transform_version": reference.transform_version,
        "ciphertext": reference.ciphertext,
        "quality": reference.evidence.quality,
        "seconds": reference.evidence.amount,
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
        evidence=Evidence(seconds, Modality(modality).evidence_unit, quality),
        session=session,
        captured_at=captured_at,
        created_at=created_at,
    )
