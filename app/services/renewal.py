"""A new secret transform for all templates of a gallery, without a new capture (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from app.domain.arrays import Float64Array
from app.domain.details import pack, unpack
from app.domain.errors import TemplateIntegrityError, TemporaryError
from app.domain.ports.references import ReferenceRow, Resealed
from app.domain.ports.store import Store, UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.references import ReferenceIdentity, Vector
from app.domain.subjects import Gallery, GalleryTransform, Subject
from app.matching.matcher import newest_transforms

_TRIES = 3

SealedDetails = Mapping[bytes, bytes]
"""By reference id."""


@dataclass(frozen=True)
class _Renewed:
    """One encoder's transform, its successor, and the references under that."""

    old: GalleryTransform
    new: GalleryTransform
    resealed: list[Resealed] = field(repr=False)


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
        rows = _all_intact(uow.references.scan(gallery.uuid))
        built = []
        for old in newest_transforms(uow, gallery).values():
            new = self._vault.new_transform(
                gallery,
                old.modality,
                old.encoder,
                version=old.version + 1,
                size=len(self._vault.matrix(gallery, old)),
                local_size=len(self._vault.local_matrix(gallery, old)),
            )
            sealed = self._sealed_details(uow, gallery, old, None)
            built.append(_Renewed(old, new, self._resealed(gallery, old, new, rows, sealed)))
        return built

    def _sealed_details(
        self, uow: UnitOfWork, gallery: Gallery, transform: GalleryTransform, subjects: Sequence[UUID] | None
    ) -> SealedDetails:
        if transform.wrapped_local_matrix is None:
            return {}
        return dict(uow.references.sealed_details(gallery.uuid, [transform.encoder], subjects))

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
        who = list({uuid for _, uuid in changed})
        late = _all_intact(uow.references.scan(gallery.uuid, who)) if who else []
        for one in built:
            done = {resealed.reference_id.bytes for resealed in one.resealed}
            sealed = self._sealed_details(uow, gallery, one.old, who)
            since = [row for row in late if row.reference_id not in done]
            uow.transforms.add(one.new)
            uow.references.replace_ciphertexts(one.resealed)
            uow.references.replace_ciphertexts(self._resealed(gallery, one.old, one.new, since, sealed))
            uow.transforms.remove_older(gallery.uuid, one.new.modality, one.new.encoder, one.new.version)
        return True

    def _resealed(
        self,
        gallery: Gallery,
        old: GalleryTransform,
        new: GalleryTransform,
        rows: Sequence[ReferenceRow],
        sealed: SealedDetails,
    ) -> list[Resealed]:
        mine = [row for row in rows if row.encoder == old.encoder and row.modality == old.modality]
        if not mine:
            return []
        step = _step(self._vault.matrix(gallery, old), self._vault.matrix(gallery, new))
        vectors = _rotated(self._vault.open_many(gallery, mine), step)
        return list(self._sealed(gallery, new, mine, vectors, self._details(gallery, old, new, mine, sealed)))

    def _details(
        self,
        gallery: Gallery,
        old: GalleryTransform,
        new: GalleryTransform,
        rows: Sequence[ReferenceRow],
        sealed: SealedDetails,
    ) -> Mapping[bytes, bytes]:
        """Contents by reference id, with local vectors under the new matrix."""
        detailed = [row for row in rows if row.reference_id in sealed]
        if not detailed:
            return {}
        step = _step(self._vault.local_matrix(gallery, old), self._vault.local_matrix(gallery, new))
        contents = self._vault.open_details(gallery, detailed, [sealed[r.reference_id] for r in detailed])
        renewed = {}
        for row, content in zip(detailed, contents, strict=True):
            detail, local = unpack(content)
            renewed[row.reference_id] = pack(detail, _rotated(local, step) if len(local) else local)
        return renewed

    def _sealed(
        self,
        gallery: Gallery,
        transform: GalleryTransform,
        rows: Sequence[ReferenceRow],
        vectors: Vector,
        details: Mapping[bytes, bytes],
    ) -> Iterator[Resealed]:
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
            content = details.get(row.reference_id)
            detail = None if content is None else self._vault.seal_detail(gallery, subject, identity, content)
            yield Resealed(identity.reference_id, transform.version, sealed, detail)


def _all_intact(rows: Iterable[ReferenceRow]) -> list[ReferenceRow]:
    """Raises `TemplateIntegrityError`: what was left under the old matrix could never be mended."""
    found = list(rows)
    if not all(row.intact for row in found):
        raise TemplateIntegrityError(
            "The gallery holds rows that were changed outside of the service: mend or erase them first"
            " (python -m app.cli doctor lists them)."
        )
    return found


def _step(old: Vector, new: Vector) -> Float64Array:
    """From one matrix to another: rows hold v·Aᵀ, so v = (v·Aᵀ)·A, and the new ones are v·Bᵀ.

    In float64, since renewals add up.
    """
    return old.astype(np.float64) @ new.astype(np.float64).T


def _rotated(vectors: Vector, step: Float64Array) -> Vector:
    found = vectors.astype(np.float64) @ step
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)
