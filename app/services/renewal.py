"""A new secret transform for all templates of a gallery, without a new capture (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from uuid import UUID

import numpy as np

from app.domain.errors import TemporaryError
from app.domain.ports import ReferenceRow, Store, TemplateVault, UnitOfWork
from app.domain.references import Modality, ReferenceIdentity, Vector
from app.domain.subjects import Gallery, GalleryTransform, Subject

_TRIES = 3

Resealed = list[tuple[UUID, int, bytes]]


class Renewal:
    """Builds the renewed references beside the old ones and swaps them in one transaction."""

    def __init__(self, store: Store, vault: TemplateVault) -> None:
        self._store = store
        self._vault = vault

    def renew(self, gallery_uuid: UUID) -> int:
        """Number of references renewed.

        Raises:
            TemporaryError: The gallery kept changing meanwhile.
        """
        for _ in range(_TRIES):
            with self._store.reading() as uow:
                gallery = uow.galleries.by_uuid(gallery_uuid)
                if gallery is None:
                    return 0
                renewed = self._build(uow, gallery)
            with suppress(_ChangedMeanwhileError):
                if self._swap(gallery, renewed):
                    return sum(len(resealed) for _, resealed in renewed)
        raise TemporaryError("The gallery is changing too fast to be renewed; try again.", code="overloaded")

    def _build(self, uow: UnitOfWork, gallery: Gallery) -> list[tuple[GalleryTransform, Resealed]]:
        newest: dict[tuple[Modality, str], GalleryTransform] = {}
        for transform in uow.transforms.of_gallery(gallery.uuid):
            key = transform.modality, transform.encoder
            if key not in newest or newest[key].version < transform.version:
                newest[key] = transform
        rows = list(uow.references.scan(gallery.uuid))
        return [self._rebuilt(gallery, old, rows) for old in newest.values()]

    def _rebuilt(
        self, gallery: Gallery, old: GalleryTransform, rows: Sequence[ReferenceRow]
    ) -> tuple[GalleryTransform, Resealed]:
        mine = [row for row in rows if row.encoder == old.encoder and row.modality == old.modality]
        old_matrix = self._vault.matrix(gallery, old)
        new = self._vault.new_transform(
            gallery, old.modality, old.encoder, old.version + 1, old_matrix.shape[0]
        )
        if not mine:
            return new, []
        # Rows hold v·Aᵀ, so v = (v·Aᵀ)·A, and the new ones are v·Bᵀ. In float64, since renewals add up.
        step = old_matrix.astype(np.float64) @ self._vault.matrix(gallery, new).astype(np.float64).T
        vectors = self._vault.open_many(gallery, mine).astype(np.float64) @ step
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return new, list(self._sealed(gallery, new, mine, vectors.astype(np.float32)))

    def _sealed(
        self, gallery: Gallery, transform: GalleryTransform, rows: Sequence[ReferenceRow], vectors: Vector
    ) -> Iterator[tuple[UUID, int, bytes]]:
        for row, vector in zip(rows, vectors, strict=True):
            identity = ReferenceIdentity(
                gallery_uuid=gallery.uuid,
                subject_uuid=UUID(bytes=row.subject_uuid),
                reference_id=UUID(bytes=row.reference_id),
                modality=transform.modality,
                encoder=transform.encoder,
                transform_version=transform.version,
            )
            subject = Subject(
                uuid=identity.subject_uuid,
                gallery_uuid=gallery.uuid,
                subject_id=row.subject_id,
                wrapped_key=row.wrapped_subject_key,
                consent=None,
                created_at=gallery.created_at,
            )
            sealed = self._vault.seal(gallery, subject, identity, vector)
            yield identity.reference_id, transform.version, sealed

    def _swap(self, gallery: Gallery, renewed: list[tuple[GalleryTransform, Resealed]]) -> bool:
        """Whether the gallery was still what the renewal was built from; if not, nothing changes."""
        with self._store.writing() as uow:
            found = uow.galleries.by_uuid(gallery.uuid)
            if found is None or found.revision != gallery.revision:
                return False
            if uow.changes.record(gallery.uuid, []) != gallery.revision + 1:
                raise _ChangedMeanwhileError
            for transform, resealed in renewed:
                uow.transforms.add(transform)
                uow.references.replace_ciphertexts(resealed)
                uow.transforms.remove_older(
                    gallery.uuid, transform.modality, transform.encoder, transform.version
                )
        return True


class _ChangedMeanwhileError(Exception):
    """Rolls the swap back: somebody committed between our look and our lock."""
