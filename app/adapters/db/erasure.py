"""Whether a transaction erased something that must not linger in any file."""

from __future__ import annotations

from sqlalchemy import Connection

_NOTE = "pulseprint_erased"


def note_erasure(connection: Connection) -> None:
    """For the unit of work, which empties SQLite's log after the commit."""
    connection.info[_NOTE] = True


def has_erasure_note(connection: Connection) -> bool:
    """Whether this transaction, or one that was rolled back, erased something."""
    return _NOTE in connection.info


def take_erasure_note(connection: Connection) -> bool:
    """Whether there was one since the last call; one of a transaction that was rolled back does no harm."""
    return bool(connection.info.pop(_NOTE, False))
