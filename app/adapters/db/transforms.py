"""Wrapped transform matrices of the galleries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select

from app.adapters.db.rows import gallery_transforms
from app.adapters.db.statements import Statement, Transaction
from app.domain.references import Modality
from app.domain.subjects import GalleryTransform

_TABLE = gallery_transforms.c
_OF_THE_GALLERY = _TABLE.gallery_uuid == bindparam("gallery")
_OF_THE_ENCODER = (
    _OF_THE_GALLERY,
    _TABLE.modality == bindparam("of_modality"),
    _TABLE.encoder == bindparam("of_encoder"),
)
_ALL = select(_TABLE.gallery_uuid, _TABLE.modality, _TABLE.encoder, _TABLE.version, _TABLE.wrapped_matrix)

_INSERT = Statement(insert(gallery_transforms))
_CURRENT = Statement(_ALL.where(*_OF_THE_ENCODER).order_by(_TABLE.version.desc()).limit(1))
_OF_GALLERY = Statement(_ALL.where(_OF_THE_GALLERY).order_by(_TABLE.modality, _TABLE.encoder, _TABLE.version))
_REMOVE_OLDER = Statement(
    delete(gallery_transforms).where(*_OF_THE_ENCODER, _TABLE.version < bindparam("kept"))
)


class SqlTransforms:
    def __init__(self, within: Transaction) -> None:
        self._within = within

    def add(self, transform: GalleryTransform) -> None:
        _INSERT.run(
            self._within,
            {
                "gallery_uuid": transform.gallery_uuid,
                "modality": str(transform.modality),
                "encoder": transform.encoder,
                "version": transform.version,
                "wrapped_matrix": transform.wrapped_matrix,
            },
        )

    def current(self, gallery_uuid: UUID, modality: Modality, encoder: str) -> GalleryTransform | None:
        row = _CURRENT.first(self._within, _names(gallery_uuid, modality, encoder))
        return None if row is None else _to_transform(row)

    def of_gallery(self, gallery_uuid: UUID) -> list[GalleryTransform]:
        return [_to_transform(row) for row in _OF_GALLERY.rows(self._within, {"gallery": gallery_uuid})]

    def remove_older(self, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> None:
        self._within.erases = True
        _REMOVE_OLDER.run(self._within, {**_names(gallery_uuid, modality, encoder), "kept": version})


def _names(gallery_uuid: UUID, modality: Modality, encoder: str) -> dict[str, Any]:
    return {"gallery": gallery_uuid, "of_modality": str(modality), "of_encoder": encoder}


def _to_transform(row: Sequence[Any]) -> GalleryTransform:
    gallery_uuid, modality, encoder, version, wrapped_matrix = row
    return GalleryTransform(
        gallery_uuid=gallery_uuid,
        modality=Modality(modality),
        encoder=encoder,
        version=version,
        wrapped_matrix=wrapped_matrix,
    )
