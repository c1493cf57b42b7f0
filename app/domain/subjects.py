"""Subjects, galleries, their transforms, and the API clients allowed to use them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.policies import Policy
from app.domain.references import Modality

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}\Z"
DEFAULT_GALLERY = "default"
_NAME = re.compile(NAME_PATTERN)

MAX_SUBJECT_ID_CHARS = 128
# Printable ASCII but quotes, slash and backslash, and spaces only inside. `.` and `..` are left out: in a URL
# they are steps between folders, even when percent-encoded.
_NO_DOT, _NO_SPACE, _ANY = r"[!#-&(-\-0-\[\]-~]", r"[!#-&(-.0-\[\]-~]", r"[ !#-&(-.0-\[\]-~]"
SUBJECT_ID_PATTERN = rf"^(?:\.{{0,2}}{_NO_DOT}|\.{{1,2}} +{_NO_SPACE}|\.{{3}})(?:{_ANY}*{_NO_SPACE})?$"
SUBJECT_ID_RULE = (
    "Expected 1 to 128 printable ASCII characters without quotes, slash and backslash, neither starting nor"
    " ending with a space, and neither '.' nor '..'."
)
_SUBJECT_ID = re.compile(SUBJECT_ID_PATTERN)


def is_name(text: str) -> bool:
    """Whether the text may name a gallery."""
    return _NAME.match(text) is not None


def is_subject_id(text: str) -> bool:
    """Whether the text may name a subject, as identity providers name theirs."""
    return len(text) <= MAX_SUBJECT_ID_CHARS and _SUBJECT_ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Gallery:
    """A named set of subjects with its own policy, keys and transforms: the unit of isolation.

    Attributes:
        fingerprint_dpi: Of fingerprints that come without a resolution; None leaves it to their files.
        intact: Whether the stored row says what the service wrote; else nothing may rest on it.
    """

    uuid: UUID
    name: str
    policy: Policy
    revision: int
    wrapped_key: bytes = field(repr=False)
    created_at: datetime
    fingerprint_dpi: int | None = None
    intact: bool = True


@dataclass(frozen=True)
class GalleryTransform:
    """The wrapped secret matrix of one gallery, modality and encoder, at one version.

    Attributes:
        wrapped_local_matrix: Of the local vectors, if the encoder gives any.
    """

    gallery_uuid: UUID
    modality: Modality
    encoder: str
    version: int
    wrapped_matrix: bytes = field(repr=False)
    wrapped_local_matrix: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Consent:
    """Which text the subject agreed to, and when."""

    text_id: str
    given_at: datetime


@dataclass(frozen=True)
class Subject:
    """An enrolled biometric capture subject."""

    uuid: UUID
    gallery_uuid: UUID
    subject_id: str
    wrapped_key: bytes = field(repr=False)
    consent: Consent | None
    created_at: datetime
    intact: bool = True


class Scope(StrEnum):
    ENROLL = "enroll"
    ERASE = "erase"
    VERIFY = "verify"
    IDENTIFY = "identify"
    ACTIVITY = "activity"
    READ = "read"
    READ_SCORES = "read:scores"
    ADMIN = "admin"


ALL_GALLERIES = "*"


@dataclass(frozen=True)
class ApiClient:
    """Who calls the API, and what they may do."""

    id: str
    name: str
    secret_sha256: bytes = field(repr=False)
    scopes: frozenset[Scope]
    galleries: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    intact: bool = True

    def is_valid_at(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def home_gallery(self) -> str:
        """Where a request goes that names no gallery: to the only one of this key, else to `default`."""
        named = self.galleries - {ALL_GALLERIES}
        return next(iter(named)) if len(self.galleries) == len(named) == 1 else DEFAULT_GALLERY

    def may_see(self, gallery: str) -> bool:
        return ALL_GALLERIES in self.galleries or gallery in self.galleries
