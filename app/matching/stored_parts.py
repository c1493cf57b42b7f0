"""Sealed details of references, read and opened where an encoder compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.domain.details import Detail, Parts, unpack
from app.domain.ports.encoders import Encoders
from app.domain.ports.references import ReferenceRow
from app.domain.ports.store import UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.subjects import Gallery


class StoredParts:
    """Finds what belongs beside the vectors of references.

    Args:
        vault: Opens them.
        encoders: Say which of them compare details.
    """

    def __init__(self, vault: TemplateVault, encoders: Encoders) -> None:
        self._vault = vault
        self._comparers = {
            encoder.encoder_id: encoder.comparer for encoder in encoders.all() if encoder.comparer is not None
        }

    def of(
        self,
        uow: UnitOfWork,
        gallery: Gallery,
        rows: Sequence[ReferenceRow],
        subject_uuids: Sequence[UUID] | None,
    ) -> Mapping[bytes, Parts]:
        """By reference id, of all rows whose encoder compares details; nothing is read for others.

        A reference without its detail, or with one that does not open, is absent.

        Args:
            uow: That the rows were read in.
            gallery: Theirs.
            rows: References.
            subject_uuids: Whose rows they are; None if everybody's.
        """
        if not self._comparers:
            return {}
        if not any(self.has_detail(row) for row in rows):
            return {}
        sealed = dict(uow.references.sealed_details(gallery.uuid, list(self._comparers), subject_uuids))
        detailed = [row for row in rows if self.has_detail(row) and row.reference_id in sealed]
        damaged: list[int] = []
        contents = self._vault.open_details(
            gallery, detailed, [sealed[row.reference_id] for row in detailed], damaged
        )
        pairs = [pair for at, pair in enumerate(zip(detailed, contents, strict=True)) if at not in damaged]
        return {row.reference_id: self._parts(row, one) for row, one in pairs}

    def has_detail(self, row: ReferenceRow) -> bool:
        """Whether a reference is compared by a detail."""
        return row.encoder in self._comparers

    def _parts(self, row: ReferenceRow, content: bytes) -> Parts:
        detail, local = unpack(content)
        return Parts((Detail(detail, self._comparers[row.encoder].open),), local)
