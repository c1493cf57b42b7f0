"""References in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from app.domain.ports.pages import PageCursor
from app.domain.references import Reference, TemplateKey


class ReferenceRow(NamedTuple):
    """A reference beside its subject, as light as 100 000 of them must be; uuids are 16 bytes."""

    subject_uuid: bytes
    subject_id: str
    wrapped_subject_key: bytes
    reference_id: bytes
    modality: str
    position: str
    encoder: str
    transform_version: int
    ciphertext: bytes
    quality: float
    amount: float
    session: str
    intact: bool = True
    """Whether it and its subject say what they were bound to; else it is not to be compared."""


class Resealed(NamedTuple):
    """A reference under another transform; without a sealed detail it keeps the one it has."""

    reference_id: UUID
    transform_version: int
    ciphertext: bytes
    sealed_detail: bytes | None = None


class ReferenceRepository(Protocol):
    def add_all(self, references: Sequence[Reference]) -> None: ...

    def of_subject(self, subject_uuid: UUID) -> list[Reference]:
        """In order (created_at, id)."""

    def keys_of(self, subject_uuid: UUID) -> dict[TemplateKey, int]:
        """How many references a subject has under each key."""

    def page(self, subject_uuid: UUID, after: PageCursor | None, limit: int) -> list[Reference]: ...

    def get(self, subject_uuid: UUID, reference_id: UUID) -> Reference | None: ...

    def remove(self, reference_id: UUID) -> None: ...

    def replace_ciphertexts(self, rows: Sequence[Resealed]) -> None:
        """Those of a renewal."""

    def template_count(self, gallery_uuid: UUID, encoders: Sequence[str]) -> int:
        """Distinct (subject, modality, position, encoder) among references of these encoders."""

    def intact_count(self, encoder: str) -> int:
        """References of an encoder that say what they were bound to."""

    def encoder_counts(self) -> Mapping[str, int]:
        """References per encoder id, all galleries."""

    def scan(self, gallery_uuid: UUID, subject_uuids: Sequence[UUID] | None = None) -> Iterable[ReferenceRow]:
        """References of a gallery (or of some subjects in it) as light tuples for the index.

        In order (subject uuid, created_at, id); streamed.
        """

    def sealed_details(
        self, gallery_uuid: UUID, encoders: Sequence[str], subject_uuids: Sequence[UUID] | None = None
    ) -> Iterable[tuple[bytes, bytes]]:
        """Reference ids (16 bytes) and sealed details under these encoders, of all or some subjects.

        Apart from `scan`, because they are long and most encoders have none.
        """
