"""Who is enrolled: metadata only, never a vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.domain.ports.pages import PageCursor
from app.domain.ports.store import Store
from app.domain.references import Reference
from app.domain.subjects import ApiClient, Subject
from app.services.access import found_subject, granted_gallery

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items in keyset order, and where to go on."""

    items: tuple[T, ...]
    next: PageCursor | None


@dataclass(frozen=True)
class SubjectView:
    subject: Subject
    references: int


class DirectoryService:
    """Lists subjects and references of galleries the caller may see."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def subjects(
        self, caller: ApiClient, gallery: str, after: PageCursor | None, limit: int
    ) -> Page[Subject]:
        """Raises `GalleryNotFoundError`."""
        with self._store.reading() as uow:
            found = uow.subjects.page(granted_gallery(uow, caller, gallery).uuid, after, limit + 1)
        return page_of(found, limit, lambda s: PageCursor(s.created_at, s.uuid))

    def subject(self, caller: ApiClient, gallery: str, subject_id: str) -> SubjectView:
        """Raises `GalleryNotFoundError`, `SubjectNotFoundError`."""
        with self._store.reading() as uow:
            subject = found_subject(uow, granted_gallery(uow, caller, gallery), subject_id)
            references = sum(uow.references.keys_of(subject.uuid).values())
        return SubjectView(subject, references)

    def references(
        self, caller: ApiClient, gallery: str, subject_id: str, after: PageCursor | None, limit: int
    ) -> Page[Reference]:
        """Raises `GalleryNotFoundError`, `SubjectNotFoundError`."""
        with self._store.reading() as uow:
            subject = found_subject(uow, granted_gallery(uow, caller, gallery), subject_id)
            found = uow.references.page(subject.uuid, after, limit + 1)
        return page_of(found, limit, lambda r: PageCursor(r.created_at, r.id))


def page_of(found: Sequence[T], limit: int, cursor: Callable[[T], PageCursor]) -> Page[T]:
    """A page of `limit` items from one more than that, if there are so many."""
    items = tuple(found[:limit])
    return Page(items, cursor(items[-1]) if len(found) > limit else None)
