"""Bringing a database to the schema of this code. Only `migrate` changes a schema."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text

from app.adapters.db.engine import for_reading, open_engine, parse_url
from app.adapters.db.faults import translated_faults
from app.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).parents[3] / "migrations"
ADVISORY_LOCK = 0x50554C5345  # "PULSE"
_MIGRATION_BUSY_TIMEOUT_MS = 60_000
_MIGRATION_LOCK_TIMEOUT = "5s"
_OTHER_MIGRATION_S = 600.0
_ASK_AGAIN_S = 0.2


def migrate(url: str, *, migrations: Path = MIGRATIONS) -> None:
    """Bring a database to the newest revision; safe to call from several processes at once.

    Raises:
        ConfigurationError: The URL names no database we serve, or the database is newer than the code.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        path = Path(parsed.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # Nobody else on this machine; SQLite gives its log the same mode.
    _run(url, migrations, lambda config: command.upgrade(config, "head"))


def downgrade(url: str, revision: str, *, migrations: Path = MIGRATIONS) -> None:
    """Take a database back to a revision (`base`: nothing left). Tests prove that it can be done."""
    _run(url, migrations, lambda config: command.downgrade(config, revision))


def _run(url: str, migrations: Path, step: Callable[[Config], None]) -> None:
    engine = open_engine(url)
    try:
        with translated_faults(), for_reading(engine).connect():
            pass  # A database that does not answer is one clear line; a faulty migration is shown whole.
        with _migrating(engine) as connection:
            config = Config()
            config.set_main_option("script_location", str(migrations).replace("%", "%%"))
            config.attributes["connection"] = connection
            try:
                step(config)
            except CommandError as error:  # Above all a revision that this code has never heard of.
                raise ConfigurationError(f"The database cannot be migrated by this code: {error}.") from error
    finally:
        engine.dispose()


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """One connection, alone on the database."""
    alone = _sqlite_migrating if engine.dialect.name == "sqlite" else _postgresql_migrating
    with engine.connect() as connection:
        try:
            with alone(connection):
                yield connection
        finally:
            connection.invalidate()  # Never back into a pool with these settings; frees a session's locks.


@contextmanager
def _postgresql_migrating(connection: Connection) -> Iterator[None]:
    """Under an advisory lock, each migration in a transaction of its own."""
    _take_advisory_lock(connection)
    # A table may not be awaited for long: everybody who comes after us in its queue waits as well.
    connection.execute(text(f"SET lock_timeout = '{_MIGRATION_LOCK_TIMEOUT}'"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    yield


def _take_advisory_lock(connection: Connection) -> None:
    """Ask again and again: a session that waits inside its question has a snapshot.

    Building an index concurrently waits for all older snapshots, and so for those who wait for us.
    """
    deadline_s = time.monotonic() + _OTHER_MIGRATION_S
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})")):
        connection.rollback()
        if time.monotonic() > deadline_s:
            raise ConfigurationError("Another process has been migrating this database for too long.")
        time.sleep(_ASK_AGAIN_S)


@contextmanager
def _sqlite_migrating(connection: Connection) -> Iterator[None]:
    """Foreign keys off before BEGIN, checked before COMMIT.

    Batch mode copies a table, drops the original and renames the copy. With foreign keys on, the drop first
    deletes the table's rows, cascades, and so empties its child tables, silently. Inside a transaction the
    pragma has no effect, hence the raw connection.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")
    driver.execute(f"PRAGMA busy_timeout = {_MIGRATION_BUSY_TIMEOUT_MS}")
    with connection.begin():
        yield
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise ConfigurationError(f"The migration would orphan rows of {broken[0]}; nothing was changed.")
