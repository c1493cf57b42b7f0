"""Wrapped transform matrices of the galleries."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from app.adapters.db.erasure import note_erasure
from app.adapters.db.tables import gallery_transforms
from app.domain.references import Modality
from app.domain.subjects import GalleryTransform

_TABLE = gallery_transforms.c
_MODALITIES = frozenset(Modality)
_NAME_BYTES = 20  # A wrapped matrix begins with its key's id and its nonce: no two begin alike.

_WITHOUT_MATRIX = select(
    _TABLE.gallery_uuid,
    _TABLE.modality,
    _TABLE.encoder,
    _TABLE.version,
    func.substr(_TABLE.wrapped_matrix, 1, _NAME_BYTES).label("name"),
)
_OF_GALLERY = _WITHOUT_MATRIX.where(_TABLE.gallery_uuid == bindparam("gallery")).order_by(
    _TABLE.modality, _TABLE.encoder, _TABLE.version
)


class _Wrapped(NamedTuple):
    matrix: bytes
    local: bytes | None


class WrappedMatrices:
    """Those read last, by their first bytes.

    Every search needs one, and each is 256 KiB: to fetch it takes 0.64 ms from PostgreSQL, twice in an
    enrollment, which is 5 % of its time. With each comes that of the local vectors, if there is one.
    """

    LIMIT = 256

    def __init__(self) -> None:
        self._known: dict[bytes, _Wrapped] = {}

    def get(self, name: bytes) -> _Wrapped | None:
        return self._known.get(name)

    def keep(self, name: bytes, matrices: _Wrapped) -> None:
        if len(self._known) >= self.LIMIT:
            self._known.clear()
        self._known[name] = matrices


class SqlTransforms:
    def __init__(self, connection: Connection, matrices: WrappedMatrices) -> None:
        self._connection = connection
        self._matrices = matrices

    def add(self, transform: GalleryTransform) -> None:
        self._connection.execute(
            insert(gallery_transforms).values(
                gallery_uuid=transform.gallery_uuid,
                modality=str(transform.modality),
                encoder=transform.encoder,
                version=transform.version,
                wrapped_matrix=transform.wrapped_matrix,
                wrapped_local_matrix=transform.wrapped_local_matrix,
            )
        )

    def current(self, gallery_uuid: UUID, modality: Modality, encoder: str) -> GalleryTransform | None:
        newest = (
            _WITHOUT_MATRIX.where(
                _TABLE.gallery_uuid == gallery_uuid,
                _TABLE.modality == str(modality),
                _TABLE.encoder == encoder,
            )
            .order_by(_TABLE.version.desc())
            .limit(1)
        )
        row = self._connection.execute(newest).first()
        return None if row is None else self._to_transform(row)

    def of_gallery(self, gallery_uuid: UUID) -> list[GalleryTransform]:
        rows = self._connection.execute(_OF_GALLERY, {"gallery": gallery_uuid}).all()
        return [self._to_transform(row) for row in rows if row.modality in _MODALITIES]

    def remove_older(self, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> None:
        note_erasure(self._connection)
        self._connection.execute(
            delete(gallery_transforms).where(
                _TABLE.gallery_uuid == gallery_uuid,
                _TABLE.modality == str(modality),
                _TABLE.encoder == encoder,
                _TABLE.version < version,
            )
        )

    def _to_transform(self, row: Row[*tuple[Any, ...]]) -> GalleryTransform:
        wrapped = self._matrices.get(row.name) or self._fetched(row)
        return GalleryTransform(
            gallery_uuid=row.gallery_uuid,
            modality=Modality(row.modality),
            encoder=row.encoder,
            version=row.version,
            wrapped_matrix=wrapped.matrix,
            wrapped_local_matrix=wrapped.local,
        )

    def _fetched(self, row: Row[*tuple[Any, ...]]) -> _Wrapped:
        found = self._connection.execute(
            select(_TABLE.wrapped_matrix, _TABLE.wrapped_local_matrix).where(
                _TABLE.gallery_uuid == row.gallery_uuid,
                _TABLE.modality == row.modality,
                _TABLE.encoder == row.encoder,
                _TABLE.version == row.version,
            )
        ).one()
        wrapped = _Wrapped(*found)
        self._matrices.keep(row.name, wrapped)
        return wrapped
