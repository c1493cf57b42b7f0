"""Envelope encryption of templates (DESIGN §7).

    master key ──wraps──▶ gallery key ──wraps──▶ subject data key ──encrypts──▶ references, their details
                              └──────wraps──▶ transform matrices

Everything is AES-256-GCM with associated data that says what a value is and whose, so that a ciphertext
moved to another row, gallery or purpose does not open. A wrapped value begins with the name of its
wrapping key (a truncated hash), which is what makes rotation and "wrong master key" decidable.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.adapters.orthonormal import random_orthonormal
from app.domain.errors import ConfigurationError, TemplateIntegrityError
from app.domain.ports.references import ReferenceRow
from app.domain.ports.vault import TemplateVault
from app.domain.references import Modality, ReferenceIdentity, Vector
from app.domain.subjects import Gallery, GalleryTransform, Subject

KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
CACHED_KEYS = 4_096
CACHED_MATRICES = 256  # 64 KiB each

_DOES_NOT_OPEN = (InvalidTag, ValueError)  # ValueError: too short to hold a nonce.
_VECTOR_DTYPE = np.dtype("<f4")
# 32 random bytes hold fewer than 16 different ones once in 10^16 draws.
_LEAST_DISTINCT_BYTES = 16
_PLACEHOLDERS = (b"changeme", b"change-me", b"change_me", b"example", b"password", b"secret", b"placeholder")
_KEY_CHECK_TEXT = b"pulseprint key check"
_REFERENCE, _DETAIL = "reference", "detail"
_TRANSFORM, _LOCAL_TRANSFORM = "transform", "local-transform"

T = TypeVar("T")


def parse_master_keys(text: str) -> list[bytes]:
    """Master keys from their setting: base64 of 32 bytes each, separated by commas or white space.

    Raises:
        ConfigurationError: None at all, not base64, another length, a placeholder, or one named twice.
    """
    words = text.replace(",", " ").split()
    if not words:
        raise ConfigurationError("There is no master key: set PULSEPRINT_MASTER_KEYS.")
    keys = [_parse_master_key(word, number) for number, word in enumerate(words, start=1)]
    if len(set(keys)) < len(keys):
        raise ConfigurationError("PULSEPRINT_MASTER_KEYS names one key twice.")
    return keys


def _parse_master_key(word: str, number: int) -> bytes:
    name = f"Master key {number}"  # Its number, never a part of it.
    try:
        key = base64.b64decode(word, validate=True)
    except ValueError:  # binascii.Error, or not ASCII
        raise ConfigurationError(f"{name} is not base64.") from None
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{name} has {len(key)} bytes, not {KEY_BYTES}.")
    if len(set(key)) < _LEAST_DISTINCT_BYTES or any(p in key.lower() for p in _PLACEHOLDERS):
        raise ConfigurationError(f"{name} is a placeholder: draw one with `openssl rand -base64 32`.")
    return key


class WrappingKey:
    """One AES-256-GCM key that wraps others, and its name."""

    def __init__(self, key: bytes) -> None:
        self.id = hashlib.sha256(b"pulseprint key id\0" + key).digest()[:KEY_ID_BYTES]
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return f"WrappingKey({self.id.hex()})"

    def wrap(self, secret: bytes, associated: bytes) -> bytes:
        """Key id, nonce, ciphertext, tag."""
        nonce = os.urandom(NONCE_BYTES)
        return self.id + nonce + self._cipher.encrypt(nonce, secret, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """Raises `TemplateIntegrityError` unless this key wrapped exactly this, for exactly that."""
        if wrapped[:KEY_ID_BYTES] != self.id:
            raise TemplateIntegrityError("A stored key was wrapped by another key than its row says.")
        nonce = wrapped[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
        try:
            return self._cipher.decrypt(nonce, wrapped[KEY_ID_BYTES + NONCE_BYTES :], associated)
        except _DOES_NOT_OPEN:
            raise TemplateIntegrityError("A stored key does not belong to its row.") from None


class EnvelopeVault(TemplateVault):
    """The key hierarchy under one or several master keys: the first wraps, all unwrap."""

    def __init__(self, master_keys: Sequence[bytes]) -> None:
        if not master_keys:
            raise ConfigurationError("There is no master key: set PULSEPRINT_MASTER_KEYS.")
        self._masters = [WrappingKey(key) for key in master_keys]
        self._gallery_keys: _Cache[WrappingKey] = _Cache(CACHED_KEYS)
        self._matrices: _Cache[Vector] = _Cache(CACHED_MATRICES)

    def __repr__(self) -> str:
        return f"EnvelopeVault({', '.join(key.id.hex() for key in self._masters)})"

    # ── Galleries ─────────────────────────────────────────────────────────────────────────────────

    def new_gallery_key(self, gallery_uuid: UUID) -> bytes:
        return self._masters[0].wrap(os.urandom(KEY_BYTES), _of_gallery(gallery_uuid))

    def rewrap_gallery_key(self, gallery: Gallery) -> bytes | None:
        """The gallery's key under the first master key; `None` if it is already."""
        if gallery.wrapped_key[:KEY_ID_BYTES] == self._masters[0].id:
            return None
        associated = _of_gallery(gallery.uuid)
        return self._masters[0].wrap(
            self._master_of(gallery).unwrap(gallery.wrapped_key, associated), associated
        )

    def _master_of(self, gallery: Gallery) -> WrappingKey:
        for master in self._masters:
            if gallery.wrapped_key[:KEY_ID_BYTES] == master.id:
                return master
        raise TemplateIntegrityError(
            "The gallery's key is wrapped by a master key that is not here: give PULSEPRINT_MASTER_KEYS all"
            " keys in use and restart."
        )

    def _gallery_key(self, gallery: Gallery) -> WrappingKey:
        def unwrap() -> WrappingKey:
            return WrappingKey(
                self._master_of(gallery).unwrap(gallery.wrapped_key, _of_gallery(gallery.uuid))
            )

        return self._gallery_keys.get((gallery.uuid, gallery.wrapped_key), unwrap)

    # ── Transforms ────────────────────────────────────────────────────────────────────────────────

    def new_transform(
        self,
        gallery: Gallery,
        modality: Modality,
        encoder: str,
        *,
        version: int,
        size: int,
        local_size: int = 0,
    ) -> GalleryTransform:
        def drawn(purpose: str, n: int) -> bytes:
            matrix = random_orthonormal(n).astype(_VECTOR_DTYPE)
            associated = _of_transform(purpose, gallery.uuid, modality, encoder, version)
            return self._gallery_key(gallery).wrap(matrix.tobytes(), associated)

        return GalleryTransform(
            gallery_uuid=gallery.uuid,
            modality=modality,
            encoder=encoder,
            version=version,
            wrapped_matrix=drawn(_TRANSFORM, size),
            wrapped_local_matrix=drawn(_LOCAL_TRANSFORM, local_size) if local_size else None,
        )

    def matrix(self, gallery: Gallery, transform: GalleryTransform) -> Vector:
        return self._matrix(gallery, transform, _TRANSFORM, transform.wrapped_matrix)

    def local_matrix(self, gallery: Gallery, transform: GalleryTransform) -> Vector:
        if transform.wrapped_local_matrix is None:
            return np.zeros((0, 0), np.float32)
        return self._matrix(gallery, transform, _LOCAL_TRANSFORM, transform.wrapped_local_matrix)

    def _matrix(
        self, gallery: Gallery, transform: GalleryTransform, purpose: str, wrapped_matrix: bytes
    ) -> Vector:
        names = (gallery.uuid, transform.modality, transform.encoder, transform.version)

        def unwrap() -> Vector:
            associated = _of_transform(purpose, *names)
            values = _floats(self._gallery_key(gallery).unwrap(wrapped_matrix, associated))
            size = round(len(values) ** 0.5)
            if size * size != len(values):
                raise TemplateIntegrityError("A stored transform is not square.")
            return values.reshape(size, size)

        # Its first bytes, key id and nonce, name a wrapped matrix; hashing all of it would take longer.
        return self._matrices.get((*names, wrapped_matrix[: KEY_ID_BYTES + NONCE_BYTES]), unwrap)

    # ── Subjects and references ───────────────────────────────────────────────────────────────────

    def new_subject_key(self, gallery: Gallery, subject_uuid: UUID) -> bytes:
        return self._gallery_key(gallery).wrap(
            os.urandom(KEY_BYTES), _of_subject(gallery.uuid, subject_uuid.bytes)
        )

    def seal(self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, vector: Vector) -> bytes:
        """Nonce, ciphertext, tag, under the subject's data key."""
        plain = np.ascontiguousarray(vector, _VECTOR_DTYPE).tobytes()
        return self._sealed(gallery, subject, plain, _of_reference(_REFERENCE, identity))

    def seal_detail(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, content: bytes
    ) -> bytes:
        return self._sealed(gallery, subject, content, _of_reference(_DETAIL, identity))

    def _sealed(self, gallery: Gallery, subject: Subject, plain: bytes, associated: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._subject_cipher(gallery, subject).encrypt(nonce, plain, associated)

    def open(
        self, gallery: Gallery, subject: Subject, identity: ReferenceIdentity, ciphertext: bytes
    ) -> Vector:
        cipher = self._subject_cipher(gallery, subject)
        try:
            plain = cipher.decrypt(
                ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], _of_reference(_REFERENCE, identity)
            )
        except _DOES_NOT_OPEN:
            raise _not_this_reference() from None
        return _floats(plain)

    def open_many(
        self, gallery: Gallery, rows: Sequence[ReferenceRow], damaged: list[int] | None = None
    ) -> Vector:
        """Raises `TemplateIntegrityError` if vectors differ in size; without a list also if one is shut."""
        plains = self._plains(_REFERENCE, gallery, rows, [row.ciphertext for row in rows], damaged)
        size = next((len(plain) for plain in plains if plain), 0)
        if damaged:
            plains = [plain or bytes(size) for plain in plains]
        if not size:
            return np.zeros((len(plains), 0), np.float32)
        if any(len(plain) != size for plain in plains):
            raise TemplateIntegrityError("References of one encoder differ in size.")
        return _floats(b"".join(plains)).reshape(len(plains), -1)

    def open_details(
        self,
        gallery: Gallery,
        rows: Sequence[ReferenceRow],
        sealed: Sequence[bytes],
        damaged: list[int] | None = None,
    ) -> list[bytes]:
        return self._plains(_DETAIL, gallery, rows, sealed, damaged)

    def _plains(
        self,
        purpose: str,
        gallery: Gallery,
        rows: Sequence[ReferenceRow],
        ciphertexts: Sequence[bytes],
        damaged: list[int] | None,
    ) -> list[bytes]:
        """What was sealed for this purpose, empty where it does not open; a rebuild has 100 000 rows."""
        gallery_key = self._gallery_key(gallery)
        of_subject = _of_subject(gallery.uuid, b"")[:-4] + b"\0\0\0\x10"  # All but the subject's 16 bytes.
        heads: dict[tuple[str, str, int], tuple[bytes, bytes]] = {}
        last_subject: bytes | None = None
        cipher: AESGCM | None = None
        plains = []
        for row, ciphertext in zip(rows, ciphertexts, strict=True):
            subject_uuid, _, wrapped_key, reference_id, modality, _, encoder, version, *_ = row
            if subject_uuid != last_subject:
                last_subject = subject_uuid
                try:
                    cipher = AESGCM(gallery_key.unwrap(wrapped_key, of_subject + subject_uuid))
                except TemplateIntegrityError:
                    if damaged is None:
                        raise
                    cipher = None
            kind = (modality, encoder, version)
            ends = heads.get(kind)
            if ends is None:
                ends = heads[kind] = _reference_ends(purpose, gallery.uuid, modality, encoder, version)
            associated = b"%b%b\0\0\0\x10%b%b" % (ends[0], subject_uuid, reference_id, ends[1])
            try:
                if cipher is None:
                    raise InvalidTag
                plains.append(cipher.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], associated))
            except _DOES_NOT_OPEN:
                if damaged is None:
                    raise _not_this_reference() from None
                damaged.append(len(plains))
                plains.append(b"")
        return plains

    def _subject_cipher(self, gallery: Gallery, subject: Subject) -> AESGCM:
        associated = _of_subject(gallery.uuid, subject.uuid.bytes)
        return AESGCM(self._gallery_key(gallery).unwrap(subject.wrapped_key, associated))

    # ── Row binding ───────────────────────────────────────────────────────────────────────────────

    def new_binding_key(self) -> bytes:
        """A key that rows are bound with, wrapped."""
        return self._masters[0].wrap(os.urandom(KEY_BYTES), _associated("row-binding"))

    def binding_key(self, wrapped: bytes) -> bytes:
        """Raises `TemplateIntegrityError` unless one of the master keys wrapped it."""
        for master in self._masters:
            if wrapped[:KEY_ID_BYTES] == master.id:
                return master.unwrap(wrapped, _associated("row-binding"))
        raise TemplateIntegrityError("The row-binding key was wrapped by a master key that is not here.")

    def rewrapped_binding_key(self, wrapped: bytes) -> bytes:
        """The same under the first master key."""
        return self._masters[0].wrap(self.binding_key(wrapped), _associated("row-binding"))

    # ── Key check ─────────────────────────────────────────────────────────────────────────────────

    def key_check_value(self) -> bytes:
        """A known text under the first master key; stored in the database."""
        return self._masters[0].wrap(_KEY_CHECK_TEXT, _associated("key-check"))

    def verify_key_check(self, value: bytes) -> None:
        """Raises `ConfigurationError` unless one of the master keys made this value."""
        for master in self._masters:
            if value[:KEY_ID_BYTES] == master.id:
                try:
                    master.unwrap(value, _associated("key-check"))
                except TemplateIntegrityError:
                    break
                return
        raise ConfigurationError(
            "The master key does not belong to this database: restore the PULSEPRINT_MASTER_KEYS "
            "it was made with (kept in .env)."
        )


class _Cache(Generic[T]):
    """The newest few, so that deleted galleries do not stay for ever. Threads may compute the same twice."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[Hashable, T] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        value = self._values.get(key)
        if value is None:
            value = make()
            if len(self._values) >= self._limit:
                self._values.clear()
            self._values[key] = value
        return value


# ── Associated data: every part preceded by its length, so that no two lists of parts read alike ──────


def _part(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _associated(purpose: str, *parts: bytes) -> bytes:
    return b"".join(map(_part, (purpose.encode(), *parts)))


def _of_gallery(gallery_uuid: UUID) -> bytes:
    return _associated("gallery-key", gallery_uuid.bytes)


def _of_subject(gallery_uuid: UUID, subject_uuid: bytes) -> bytes:
    return _associated("subject-key", gallery_uuid.bytes, subject_uuid)


def _of_transform(purpose: str, gallery_uuid: UUID, modality: Modality, encoder: str, version: int) -> bytes:
    kind = (modality.encode(), encoder.encode(), version.to_bytes(4, "big"))
    return _associated(purpose, gallery_uuid.bytes, *kind)


def _of_reference(purpose: str, identity: ReferenceIdentity) -> bytes:
    head, tail = _reference_ends(
        purpose, identity.gallery_uuid, identity.modality, identity.encoder, identity.transform_version
    )
    ids = identity.subject_uuid.bytes + b"\0\0\0\x10" + identity.reference_id.bytes
    return head + ids + tail


def _reference_ends(
    purpose: str, gallery_uuid: UUID, modality: str, encoder: str, version: int
) -> tuple[bytes, bytes]:
    """What stands before the subject's 16 bytes and after the reference's: alike for a whole gallery."""
    head = _associated(purpose, gallery_uuid.bytes) + b"\0\0\0\x10"
    return head, b"".join(map(_part, (modality.encode(), encoder.encode(), version.to_bytes(4, "big"))))


def _floats(plain: bytes) -> Vector:
    return np.frombuffer(plain, _VECTOR_DTYPE).astype(np.float32, copy=False)


def _not_this_reference() -> TemplateIntegrityError:
    return TemplateIntegrityError("A stored ciphertext does not belong to its reference, or its key is lost.")
