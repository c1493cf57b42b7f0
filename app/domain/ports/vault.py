"""Template protection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.domain.ports.references import ReferenceRow
from app.domain.references import Modality, ReferenceIdentity, Vector
from app.domain.subjects import Gallery, GalleryTransform, Subject


class TemplateVault(Protocol):
    """Key hierarchy and authenticated encryption (DESIGN §7)."""

    def new_gallery_key(self, gallery_uuid: UUID) -> bytes: ...

    def new_subject_key(self, gallery: Gallery, subject_uuid: UUID) -> bytes: ...

    def new_transform(
        self,
        gallery: Gallery,
        modality: Modality,
        encoder: str,
        *,
        version: int,
        size: int,
        local_size: int = 0,
    ) -> GalleryTransform:
        """Draw a random orthonormal matrix and wrap it, and another for local vectors if there are any."""

    def matrix(self, gallery: Gallery, transform: GalleryTransform) -> Vector:
        """The matrix in clear, float32, shape (size, size). Cached by version in the process."""

    def local_matrix(self, gallery: Gallery, transform: GalleryTransform) -> Vector:
        """That of the local vectors, likewise; of shape (0, 0) if there is none."""

    def seal(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, vector: Vector
    ) -> bytes: ...

    def open(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, ciphertext: bytes
    ) -> Vector:
        """Raises `TemplateIntegrityError` if the ciphertext is not this reference's."""

    def seal_detail(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, content: bytes
    ) -> bytes:
        """Encrypt what is kept beside the vector; it opens as nothing else, and nothing else as it."""

    def open_details(
        self,
        gallery: Gallery,
        rows: Sequence[ReferenceRow],
        sealed: Sequence[bytes],
        damaged: list[int] | None = None,
    ) -> list[bytes]:
        """Contents of sealed details, one for each row; what does not open as in `open_many`, and empty."""

    def open_many(
        self, gallery: Gallery, rows: Sequence[ReferenceRow], damaged: list[int] | None = None
    ) -> Vector:
        """Fast path of the rebuild: rows of one modality and encoder → float32, shape (n, d).

        Places of rows that do not open are added to `damaged`, and their vectors are zero. Without such a
        list, the first of them raises `TemplateIntegrityError`.
        """
