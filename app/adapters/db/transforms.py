"""Wrapped transform matrices of the galleries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from app.adapters.db.sqlite import first_bytes
from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import gallery_transforms
from app.domain.references import Modality
from app.domain.subjects import GalleryTransform

_TABLE = gallery_transforms.c
_OF_THE_GALLERY = _TABLE.gallery_uuid == bindparam("gallery")
_OF_THE_ENCODER = (
    _OF_THE_GALLERY,
    _TABLE.modality == bindparam("of_modality"),
    _TABLE.encoder == bindparam("of_encoder"),
)
_NAME_BYTES = 20  # A wrapped matrix begins with its key's id and its nonce: no two begin alike.


class MatrixName(ColumnElement[bytes]):
    """The first bytes of a wrapped matrix; on SQLite, the row's number, by which ``matrix_name`` reads them.

    SQLite's substr() fetches the whole value, 256 KiB, before it cuts: most of what a search or an
    enrollment would read.
    """

    inherit_cache = True
    type = _TABLE.wrapped_matrix.type


@compiles(MatrixName)
def _cut(_element: MatrixName, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(func.substr(_TABLE.wrapped_matrix, 1, _NAME_BYTES), **options)


@compiles(MatrixName, "sqlite")
def _row_number(_element: MatrixName, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"{gallery_transforms.name}.rowid"


def matrix_name(within: Transaction, found: bytes | int) -> bytes:
    """The name of a wrapped matrix, from what a statement found in the column ``MatrixName``."""
    if isinstance(found, bytes):
        return found
    return first_bytes(within.driver, _TABLE.wrapped_matrix, found, _NAME_BYTES)


TRANSFORM_COLUMNS = (_TABLE.modality, _TABLE.encoder, _TABLE.version, MatrixName())
_ALL = select(*TRANSFORM_COLUMNS)
_INSERT = Statement(insert(gallery_transforms))
_CURRENT = Statement(_ALL.where(*_OF_THE_ENCODER).order_by(_TABLE.version.desc()).limit(1))
_OF_GALLERY = Statement(_ALL.where(_OF_THE_GALLERY).order_by(_TABLE.modality, _TABLE.encoder, _TABLE.version))
_MATRIX = Statement(
    select(_TABLE.wrapped_matrix).where(*_OF_THE_ENCODER, _TABLE.version == bindparam("of_version"))
)
_REMOVE_OLDER = Statement(
    delete(gallery_transforms).where(*_OF_THE_ENCODER, _TABLE.version < bindparam("kept"))
)


class WrappedMatrices:
    """Those read last, by their first bytes: every search needs one, and each is 256 KiB to fetch."""

    LIMIT = 256

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def get(self, name: bytes, read: Callable[[], bytes]) -> bytes:
        """The matrix of this name, read if it is not known."""
        matrix = self._known.get(name)
        if matrix is None:
            matrix = read()
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            self._known[name] = matrix
        return matrix


class SqlTransforms:
    def __init__(self, within: Transaction, matrices: WrappedMatrices) -> None:
        self._within = within
        self._matrices = matrices

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
        return None if row is None else self.to_transform(gallery_uuid, row)

    def of_gallery(self, gallery_uuid: UUID) -> list[GalleryTransform]:
        rows = _OF_GALLERY.rows(self._within, {"gallery": gallery_uuid})
        return [self.to_transform(gallery_uuid, row) for row in rows]

    def to_transform(self, gallery_uuid: UUID, row: Sequence[Any]) -> GalleryTransform:
        """From ``TRANSFORM_COLUMNS``; the matrix is read unless it is known."""
        name, encoder, version, found = row
        modality = Modality(name)

        def read() -> bytes:
            one = {**_names(gallery_uuid, modality, encoder), "of_version": version}
            matrix: bytes = _MATRIX.rows(self._within, one)[0][0]
            return matrix

        return GalleryTransform(
            gallery_uuid=gallery_uuid,
            modality=modality,
            encoder=encoder,
            version=version,
            wrapped_matrix=self._matrices.get(matrix_name(self._within, found), read),
        )

    def remove_older(self, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> None:
        self._within.erases = True
        _REMOVE_OLDER.run(self._within, {**_names(gallery_uuid, modality, encoder), "kept": version})


def _names(gallery_uuid: UUID, modality: Modality, encoder: str) -> dict[str, Any]:
    return {"gallery": gallery_uuid, "of_modality": str(modality), "of_encoder": encoder}
