"""A consistent copy of an SQLite database that is in use."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from app.adapters.db.sqlite_files.opening import BUSY_TIMEOUT_MS
from app.domain.errors import ConfigurationError


def back_up(source: Path, target: Path) -> None:
    """Put a checked copy in the place of `target`, whole or not at all; a copy of before stays until then.

    `VACUUM INTO` alone refuses a file that exists, and so the second run of a day.

    Raises:
        ConfigurationError: There is no database, no room or no folder, or the copy is not sound.
    """
    if not source.is_file():
        raise ConfigurationError(f"There is no database at {source}.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"There is no folder {target.parent} to put the backup in.")
    try:
        # Readable by this user only, as the database is. VACUUM INTO takes an empty file.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as error:
        raise ConfigurationError(f"Cannot write to {target.parent}: {error.strerror}.") from None
    part = Path(name)
    try:
        _copy(source, part)
        os.fsync(handle)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise ConfigurationError(f"The database could not be copied to {target}: {error}.") from None
    finally:
        os.close(handle)
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    with closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=rw", uri=True)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("VACUUM INTO ?", (str(part),))
    with closing(sqlite3.connect(f"file:{quote(str(part.absolute()))}?mode=ro", uri=True)) as copy:
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"the copy is not sound ({found})")
