"""Who calls the API: API keys, their scopes and the galleries they may see."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from app.domain.errors import (
    GalleryNotFoundError,
    InsufficientScopeError,
    InvalidCredentialsError,
    SubjectNotFoundError,
    TemplateIntegrityError,
)
from app.domain.ports.clock import Clock
from app.domain.ports.store import Store, UnitOfWork
from app.domain.subjects import ALL_GALLERIES, DEFAULT_GALLERY, ApiClient, Gallery, Scope, Subject

T = TypeVar("T", Gallery, Subject)

_TOKEN = re.compile(r"^pp_([0-9a-f]{16})_([A-Za-z0-9_-]{43})\Z")
_NOBODY = hashlib.sha256(b"nobody").digest()


class AccessService:
    """Issues, revokes and checks API keys `pp_<id>_<secret>`; secrets are 256 random bits."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        galleries: Iterable[str] = (ALL_GALLERIES,),
        expires_at: datetime | None = None,
    ) -> tuple[ApiClient, str]:
        """A new client and its API key, which is never stored and cannot be shown again."""
        client_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        client = ApiClient(
            id=client_id,
            name=name,
            secret_sha256=hashlib.sha256(secret.encode()).digest(),
            scopes=frozenset(scopes),
            galleries=frozenset(galleries),
            created_at=self._clock(),
            expires_at=expires_at,
        )
        with self._store.writing() as uow:
            uow.clients.add(client)
        return client, f"pp_{client_id}_{secret}"

    def absent_galleries(self, names: Iterable[str]) -> list[str]:
        """Those that are not there; a fresh database gets `default` with the first start."""
        with self._store.reading() as uow:
            return [
                name
                for name in names
                if name not in (ALL_GALLERIES, DEFAULT_GALLERY) and uow.galleries.by_name(name) is None
            ]

    def clients(self) -> list[ApiClient]:
        with self._store.reading() as uow:
            return uow.clients.all()

    def revoke(self, client_id: str) -> bool:
        """Whether there was such a client that was not revoked before."""
        with self._store.writing() as uow:
            return uow.clients.revoke(client_id, self._clock())

    def authenticate(self, authorization: str | None) -> ApiClient:
        """The client behind an `Authorization` header.

        Raises:
            InvalidCredentialsError: Absent, malformed, unknown, expired, revoked or changed in the
                database; never says which.
        """
        scheme, _, token = (authorization or "").partition(" ")
        parts = _TOKEN.match(token.strip()) if scheme.lower() == "bearer" else None
        if parts is None:
            raise InvalidCredentialsError("Send an API key as 'Authorization: Bearer pp_…'.")
        with self._store.reading() as uow:
            client = uow.clients.by_id(parts[1])
        digest = hashlib.sha256(parts[2].encode()).digest()
        known = hmac.compare_digest(digest, client.secret_sha256 if client else _NOBODY)
        valid = client is not None and client.intact and client.is_valid_at(self._clock())
        if client is None or not known or not valid:
            raise InvalidCredentialsError("This API key is not valid.")
        return client


def require(caller: ApiClient, scope: Scope) -> None:
    """Raises `InsufficientScopeError` unless the caller holds the scope."""
    if scope not in caller.scopes:
        raise InsufficientScopeError(f"This call needs the scope '{scope}'.")


def require_all_galleries(caller: ApiClient) -> None:
    """Creating and deleting galleries needs a key for all of them."""
    if ALL_GALLERIES not in caller.galleries:
        raise InsufficientScopeError("This call needs a key that is granted all galleries ('*').")


def granted_gallery(uow: UnitOfWork, caller: ApiClient, name: str, *, damaged_too: bool = False) -> Gallery:
    """The gallery, if the caller may see it; an ungranted one is exactly as absent.

    Raises:
        GalleryNotFoundError: Absent or not granted.
        TemplateIntegrityError: Its row says something else than the service wrote. To delete it, take it
            `damaged_too`.
    """
    gallery = uow.galleries.by_name(name) if caller.may_see(name) else None
    if gallery is None:
        raise GalleryNotFoundError("There is no such gallery.")
    return gallery if damaged_too else require_intact(gallery, "gallery")


def require_intact(found: T, noun: str) -> T:
    """Raises `TemplateIntegrityError` if a row says something else than the service wrote."""
    if found.intact:
        return found
    raise TemplateIntegrityError(
        f"The stored row of this {noun} was changed outside of the service: the operator has to mend it"
        " (python -m app.cli doctor)."
    )


def found_subject(
    uow: UnitOfWork, gallery: Gallery, subject_id: str, *, damaged_too: bool = False
) -> Subject:
    """The subject of this name.

    Raises:
        SubjectNotFoundError: There is none.
        TemplateIntegrityError: Its row says something else than the service wrote. To erase it, take it
            `damaged_too`.
    """
    subject = uow.subjects.by_name(gallery.uuid, subject_id)
    if subject is None:
        raise SubjectNotFoundError("There is no such subject in this gallery.")
    return subject if damaged_too else require_intact(subject, "subject")
