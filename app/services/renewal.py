"""A new secret transform for all templates of a gallery, without a new capture (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from app.domain.errors import TemporaryError
from app.domain.ports.references import ReferenceRow
from app.domain.ports.store import Store, UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.references import ReferenceIdentity, Vector
from app.domain.subjects import Gallery, GalleryTransform, Subject
from app.matching.matcher import newest_transforms

_TRIES = 3

Resealed = list[tuple[UUID, int, bytes]]
"""Reference id, transform version, ciphertext."""


@dataclass(frozen=True)
class _Renewed:
    """One encoder's transform, its successor, and the references under that."""

    old: GalleryTransform
    new: GalleryTransform
    resealed: Resealed = field(repr=False)


class Renewal:
    """Builds the renewed references beside the old ones and swaps them in one transaction."""

    def __init__(self, store: Store, vault: TemplateVault) -> None:
        self._store = store
        self._vault = vault

    def renew(self, gallery_uuid: UUID) -> int:
        """Number of references renewed.

        Raises:
            GalleryNotFoundError: It was deleted meanwhile.
            TemporaryError: Others kept renewing it meanwhile.
        """
        for _ in range(_TRIES):
            with self._store.reading() as uow:
                gallery = uow.galleries.by_uuid(gallery_uuid)
                if gallery is None:
                    return 0
                built = self._build(uow, gallery)
            with self._store.writing() as uow:
                if self._swap(uow, gallery, built):
                    return sum(len(one.resealed) for one in built)
        raise TemporaryError("Others are renewing this gallery; try again.", code="overloaded")

    def _build(self, uow: UnitOfWork, gallery: Gallery) -> list[_Renewed]:
        rows = list(uow.references.scan(gallery.uuid))
        built = []
        for old in newest_transforms(uow, gallery).values():
            size = self._vault.matrix(gallery, old).shape[0]
            new = self._vault.new_transform(gallery, old.modality, old.encoder, old.version + 1, size)
            built.append(_Renewed(old, new, self._resealed(gallery, old, new, rows)))
        return built

    def _swap(self, uow: UnitOfWork, gallery: Gallery, built: Sequence[_Renewed]) -> bool:
        """Put the renewed references in the place of the old ones, with those that came since.

        Returns:
            Whether the transforms were still those that the renewal was built from; if not, or if the feed
            does not reach back so far, no reference was changed.
        """
        uow.changes.record(gallery.uuid, [])  # From here on nobody else changes the gallery.
        changed = uow.changes.since(gallery.uuid, gallery.revision)
        newest = newest_transforms(uow, gallery)
        if changed is None or any(newest.get((o.old.modality, o.old.encoder)) != o.old for o in built):
            return False
        late = list(uow.references.scan(gallery.uuid, list({uuid for _, uuid in changed}))) if changed else []
        for one in built:
            done = {reference_id.bytes for reference_id, _, _ in one.resealed}
            since = [row for row in late if row.reference_id not in done]
            uow.transforms.add(one.new)
            uow.references.replace_ciphertexts(one.resealed)
            uow.references.replace_ciphertexts(self._resealed(gallery, one.old, one.new, since))
            uow.transforms.remove_older(gallery.uuid, one.new.modality, one.new.encoder, one.new.version)
        return True

    def _resealed(
        self, gallery: Gallery, old: GalleryTransform, new: GalleryTransform, rows: Sequence[ReferenceRow]
    ) -> Resealed:
        mine = [row for row in rows if row.encoder == old.encoder and row.modality == old.modality]
        old_matrix = self._vault.matrix(gallery, old)
        if not mine:
            return []
        # Rows hold v·Aᵀ, so v = (v·Aᵀ)·A, and the new ones are v·Bᵀ. In float64, since renewals add up.
        step = old_matrix.astype(np.float64) @ self._vault.matrix(gallery, new).astype(np.float64).T
        vectors = self._vault.open_many(gallery, mine).astype(np.float64) @ step
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return list(self._sealed(gallery, new, mine, vectors.astype(np.float32)))

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
