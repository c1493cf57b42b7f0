"""Wrapped transform matrices of the galleries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select

from app.adapters.db.rows import gallery_transforms
from app.domain.references import Modality
from app.domain.subjects import GalleryTransform

_TABLE = gallery_transforms.c
_INSERT = insert(gallery_transforms)
_ALL = select(_TABLE.gallery_uuid, _TABLE.modality, _TABLE.encoder, _TABLE.version, _TABLE.wrapped_matrix)
_OF_GALLERY = _ALL.where(_TABLE.gallery_uuid == bindparam("wanted_gallery"))
_CURRENT = (
    _OF_GALLERY.where(
        _TABLE.modality == bindparam("wanted_modality"), _TABLE.encoder == bindparam("wanted_encoder")
    )
    .order_by(_TABLE.version.desc())
    .limit(1)
)


class SqlTransforms:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, transform: GalleryTransform) -> None:
        self._connection.execute(
            _INSERT,
            {
                "gallery_uuid": transform.gallery_uuid,
                "modality": str(transform.modality),
                "encoder": transform.encoder,
                "version": transform.version,
                "wrapped_matrix": transform.wrapped_matrix,
            },
        )

    def current(self, gallery_uuid: UUID, modality: Modality, encoder: str) -> GalleryTransform | None:
        row = self._connection.execute(
            _CURRENT,
            {"wanted_gallery": gallery_uuid, "wanted_modality": str(modality), "wanted_encoder": encoder},
        ).one_or_none()
        return None if row is None else _to_transform(row)

    def of_gallery(self, gallery_uuid: UUID) -> list[GalleryTransform]:
        rows = self._connection.execute(
            _OF_GALLERY.order_by(_TABLE.modality, _TABLE.encoder, _TABLE.version),
            {"wanted_gallery": gallery_uuid},
        )
        return [_to_transform(row) for row in rows]

    def remove_older(self, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> None:
        self._connection.execute(
            delete(gallery_transforms).where(
                _TABLE.gallery_uuid == gallery_uuid,
                _TABLE.modality == str(modality),
                _TABLE.encoder == encoder,
                _TABLE.version < version,
            )
        )


def _to_transform(row: Sequence[Any]) -> GalleryTransform:
    gallery_uuid, modality, encoder, version, wrapped_matrix = row
    return GalleryTransform(
        gallery_uuid=gallery_uuid,
        modality=Modality(modality),
        encoder=encoder,
        version=version,
        wrapped_matrix=wrapped_matrix,
    )
