"""Opaque cursors: a keyset position, bound to the list it came from.

The binding is a checksum, not a secret: a forged cursor names a position the caller could page to anyway.
It keeps a cursor of one list from silently skipping items of another.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from app.domain.errors import Fault, UnprocessableError
from app.domain.ports.pages import PageCursor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSITION = struct.Struct(">q16s")
_CHECK_BYTES = 10


def encode_cursor(cursor: PageCursor | None, *, path: str, gallery: str) -> str | None:
    """Text for `next_cursor`; None at the end of a list."""
    if cursor is None:
        return None
    microseconds = (cursor.created_at - _EPOCH) // timedelta(microseconds=1)
    position = _POSITION.pack(microseconds, cursor.id.bytes)
    return urlsafe_b64encode(position + _check(position, path, gallery)).decode().rstrip("=")


def decode_cursor(text: str | None, *, path: str, gallery: str) -> PageCursor | None:
    """The position behind a cursor of this list.

    Raises:
        UnprocessableError: Not a cursor, or one of another path or gallery.
    """
    if text is None:
        return None
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        position, check = content[: _POSITION.size], content[_POSITION.size :]
        microseconds, uuid_bytes = _POSITION.unpack(position)
        created_at = _EPOCH + timedelta(microseconds=microseconds)
    except (ValueError, struct.error, OverflowError):
        raise _foreign() from None
    if check != _check(position, path, gallery):
        raise _foreign()
    return PageCursor(created_at, UUID(bytes=uuid_bytes))


def _check(position: bytes, path: str, gallery: str) -> bytes:
    content = position + f"{path}\0{gallery}".encode()
    return blake2b(content, digest_size=_CHECK_BYTES, person=b"pulse.cursor").digest()


def _foreign() -> UnprocessableError:
    detail = "Not a cursor of this list."
    return UnprocessableError(detail, faults=[Fault("/cursor", "invalid_request", detail)])
