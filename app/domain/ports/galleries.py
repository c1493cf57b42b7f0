"""Galleries in the database, with the transforms of their templates."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from app.domain.ports.pages import PageCursor
from app.domain.references import Modality
from app.domain.subjects import Gallery, GalleryTransform


class GalleryRepository(Protocol):
    def add(self, gallery: Gallery) -> None:
        """Raises `ConflictError` (`gallery_exists`)."""

    def by_name(self, name: str) -> Gallery | None: ...

    def by_uuid(self, gallery_uuid: UUID) -> Gallery | None: ...

    def page(self, names: frozenset[str] | None, after: PageCursor | None, limit: int) -> list[Gallery]:
        """In order (created_at, uuid); `names` None means all."""

    def all(self) -> list[Gallery]: ...

    def configure(self, gallery: Gallery) -> None:
        """Store its policy and `fingerprint_dpi`."""

    def set_wrapped_key(self, gallery_uuid: UUID, wrapped_key: bytes) -> None: ...

    def remove(self, gallery_uuid: UUID) -> None:
        """With everything in it, and the stored answers of its subjects."""

    def revision(self, gallery_uuid: UUID) -> int | None: ...

    def revisions(self) -> dict[UUID, int]:
        """Of all galleries."""

    def counts(self, gallery_uuid: UUID) -> tuple[int, int]:
        """(subjects, references); counts all of them, which takes its time."""

    def has_more_subjects_than(self, gallery_uuid: UUID, limit: int) -> bool:
        """Stops counting at the limit: cheap enough for every enrollment."""


class TransformRepository(Protocol):
    def add(self, transform: GalleryTransform) -> None: ...

    def current(self, gallery_uuid: UUID, modality: Modality, encoder: str) -> GalleryTransform | None:
        """The one of highest version."""

    def of_gallery(self, gallery_uuid: UUID) -> list[GalleryTransform]: ...

    def remove_older(self, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> None: ...
