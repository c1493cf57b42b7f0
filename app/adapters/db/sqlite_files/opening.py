"""What SQLite needs: durability, foreign keys, erasure, and how to begin (DESIGN §6)."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

BUSY_TIMEOUT_MS = 5_000
READ_ONLY = "pulseprint_read_only"
"""Execution option: begin a snapshot that refuses writes, not a writer."""

_SWITCH_PAUSE_S = 0.005
_PRAGMAS = (
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "foreign_keys = ON",
    "synchronous = FULL",  # An acknowledged enrollment survives a power cut, not only a crash.
    "secure_delete = ON",  # Erased ciphertext and keys are overwritten, not merely unlinked.
    "cache_size = -8192",  # 8 MiB for each connection of the pool
)


def open_sqlite(url: URL, **pool: Any) -> Engine:
    """An engine on a file that exists: a wrong path must not become a new, empty database."""
    file = Path(str(url.database)).absolute()
    path = quote(str(file))
    # Where it rewrites the database: beside it there is as much room, and /tmp of a container is small.
    os.environ.setdefault("SQLITE_TMPDIR", str(file.parent))

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{path}?mode=rw", uri=True, check_same_thread=False)

    engine = create_engine(url, creator=connect, hide_parameters=True, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # The driver begins no transactions of its own; _begin does.
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    _switch_to_wal(connection)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Two connections that switch a new file would wait for each other, so SQLite refuses one at once."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(_SWITCH_PAUSE_S)
        else:
            return


def _begin(connection: Connection) -> None:
    """A writer that begins deferred reads first and asks for the write lock later; if somebody committed in
    between, SQLite refuses the upgrade at once, whatever the busy timeout. IMMEDIATE waits in line.
    """
    reads = connection.get_execution_options().get(READ_ONLY, False)
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA query_only = {'ON' if reads else 'OFF'}").close()
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def note_stale_bytes(driver: sqlite3.Connection) -> None:
    """In a transaction that erases: it holds for whichever process comes to rewrite the file."""
    driver.execute("PRAGMA user_version = 1").close()


def rewrite_if_stale(driver: sqlite3.Connection) -> bool:
    """Write the file anew if anything was erased since the last time; whether it was.

    Where SQLite moved rows between pages, the unused bytes of a page keep old copies, which `secure_delete`
    does not reach: of 400 names, one of 267 erased ones remained.

    Args:
        driver: Outside any transaction. Writers wait for as long as it takes; readers do not.
    """
    if driver.execute("PRAGMA user_version").fetchone()[0] == 0:
        return False
    driver.execute("PRAGMA query_only = OFF").close()
    driver.execute("PRAGMA user_version = 0").close()  # First: whoever erases meanwhile sets it again.
    try:
        driver.execute("VACUUM").close()
    except sqlite3.Error:
        note_stale_bytes(driver)
        raise
    return True


def empty_log(driver: sqlite3.Connection, *, wait_ms: int) -> bool:
    """Move the write-ahead log into the database file and cut it off: it still holds erased pages.

    Args:
        driver: Outside any transaction, just after a commit. That commit stands whatever happens here.
        wait_ms: How long readers of older snapshots may hold it up.

    Returns:
        Whether the log is empty now.
    """
    driver.execute(f"PRAGMA busy_timeout = {wait_ms}")
    busy = 1
    with suppress(sqlite3.OperationalError):
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return not busy
