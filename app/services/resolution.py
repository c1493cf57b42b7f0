"""Whose resolution a fingerprint has: that of its request, else its gallery's, else its file's."""

from __future__ import annotations

from app.domain.captures import Capture, lacks_dpi, with_default_dpi
from app.domain.ports.store import Store
from app.domain.subjects import ApiClient
from app.services.access import granted_gallery


def resolved(
    store: Store, caller: ApiClient, gallery: str, captures: tuple[Capture, ...]
) -> tuple[Capture, ...]:
    """Give fingerprints that came without a resolution the default of their gallery, if it has one.

    Captures are encoded before the transaction that compares them, so the gallery is looked up in a short
    one of its own, and only where a capture needs it.

    Raises:
        GalleryNotFoundError: No such gallery for this caller.
    """
    if not any(lacks_dpi(capture) for capture in captures):
        return captures
    with store.reading() as uow:
        default_dpi = granted_gallery(uow, caller, gallery).fingerprint_dpi
    return with_default_dpi(captures, default_dpi)
