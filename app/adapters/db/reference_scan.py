"""Reading a whole gallery's references as raw driver tuples.

100 000 references have to be in the index within three seconds of a cold start (DESIGN §10): no result
processing, no UUID objects, binary transfer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from uuid import UUID

from app.adapters.db.statements import Transaction
from app.domain.ports import ReferenceRow

FETCH_ROWS = 5_000
SUBJECTS_PER_QUERY = 10_000

_COLUMNS = (
    "s.subject_id, s.wrapped_key, {id}, r.modality, r.position, r.encoder, r.transform_version, "
    "r.ciphertext, r.quality, r.seconds, r.session "
    "FROM subjects AS s JOIN biometric_references AS r ON r.subject_uuid = s.uuid "
)
_ORDER = " ORDER BY s.uuid, r.created_at, r.id"
_SQLITE = "SELECT s.uuid, " + _COLUMNS.format(id="r.id") + "WHERE s.gallery_uuid = ?"
_POSTGRESQL = (
    "SELECT uuid_send(s.uuid), " + _COLUMNS.format(id="uuid_send(r.id)") + "WHERE s.gallery_uuid = %s"
)


def scan_gallery(within: Transaction, gallery_uuid: UUID) -> Iterator[ReferenceRow]:
    """All references of a gallery in order (subject uuid, created_at, id), streamed."""
    driver = within.driver
    if isinstance(driver, sqlite3.Connection):
        yield from map(ReferenceRow._make, driver.execute(_SQLITE + _ORDER, (gallery_uuid.bytes,)))
        return
    with driver.cursor(name="pulseprint_scan", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(_POSTGRESQL + _ORDER, (gallery_uuid,))
        yield from map(ReferenceRow._make, cursor)


def scan_subjects(
    within: Transaction, gallery_uuid: UUID, subject_uuids: Sequence[UUID]
) -> Iterator[ReferenceRow]:
    """References of some subjects of a gallery, in the same order."""
    driver = within.driver
    wanted = sorted(subject_uuids, key=lambda uuid: uuid.bytes)
    for start in range(0, len(wanted), SUBJECTS_PER_QUERY):
        batch = wanted[start : start + SUBJECTS_PER_QUERY]
        if isinstance(driver, sqlite3.Connection):
            marks = ", ".join("?" * len(batch))
            values = (gallery_uuid.bytes, *(uuid.bytes for uuid in batch))
            # The plus keeps SQLite from walking through the gallery's index instead of looking these up.
            some = _SQLITE.replace("s.gallery_uuid", "+s.gallery_uuid")
            rows = driver.execute(f"{some} AND s.uuid IN ({marks}){_ORDER}", values)
            yield from map(ReferenceRow._make, rows)
        else:
            with driver.cursor(binary=True) as cursor:
                cursor.execute(_POSTGRESQL + " AND s.uuid = ANY(%s)" + _ORDER, (gallery_uuid, batch))
                yield from map(ReferenceRow._make, cursor)
