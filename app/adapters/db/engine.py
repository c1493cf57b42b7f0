"""Engines: what every connection must be told, on SQLite and on PostgreSQL (DESIGN §6)."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from app.domain.errors import ConfigurationError

BUSY_TIMEOUT_MS = 5_000
_FORGET_WAIT_MS = 250
POOL_SIZE = 16
POOL_TIMEOUT_S = 5.0

WRITES = "pulseprint_writes"  # Execution option of connections that begin writing units.

_SQLITE_PRAGMAS = (
    f"busy_timeout = {BUSY_TIMEOUT_MS}",  # First: switching to WAL may itself have to wait.
    "journal_mode = WAL",
    "foreign_keys = ON",
    "synchronous = FULL",  # An acknowledged enrollment survives a power cut, not only a crash.
    "secure_delete = ON",  # Erased ciphertext and keys are overwritten, not merely unlinked.
    "cache_size = -32768",
)
_POSTGRESQL_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
)


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///path`` or ``postgresql://…``; the caller disposes of it.

    Parameters never appear in errors or logs: they are ciphertexts, keys and names of subjects.

    Raises:
        ConfigurationError: Not a URL, another database, or an SQLite database in memory.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    return _open_postgresql(parsed)


def parse_url(url: str) -> URL:
    """The URL, with the driver that we use."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:  # Its message repeats the URL, password included.
        raise ConfigurationError("DATABASE_URL is not a database URL.") from None
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ConfigurationError(
                "DATABASE_URL names no file: a database in memory would forget everyone."
            )
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigurationError(f"DATABASE_URL must name sqlite or postgresql, not {backend}.")


def _open_sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # The driver begins no transactions of its own; _begin_sqlite does.
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """BEGIN as the unit of work needs it.

    A writer that begins deferred reads first and asks for the write lock later; if somebody committed in
    between, SQLite refuses the upgrade at once, whatever the busy timeout. IMMEDIATE waits in line.
    """
    writes = bool(connection.get_execution_options().get(WRITES))
    driver: Any = connection.connection.driver_connection
    if connection.info.get(WRITES) is not writes:
        driver.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.info[WRITES] = writes
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_postgresql(url: URL) -> Engine:
    connect_args: dict[str, Any] = {"connect_timeout": 5}
    if "options" not in url.query:
        connect_args["options"] = _POSTGRESQL_OPTIONS
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,  # A restarted server costs no request.
        connect_args=connect_args,
    )


def for_reading(engine: Engine) -> Engine:
    """The same pool; transactions see one snapshot and refuse writes."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{WRITES: False})


def for_writing(engine: Engine) -> Engine:
    """The same pool; PostgreSQL reads what is committed, SQLite takes the one write lock first."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="READ COMMITTED")
    return engine.execution_options(**{WRITES: True})


def forget_erased(connection: Connection) -> None:
    """After the commit of an erasure: SQLite's log still holds the erased pages, so empty it.

    Best effort: if a reader needs the log for longer than the wait, the next checkpoint does it. PostgreSQL
    has no such call; its dead rows go with autovacuum, its log with the retention of backups.
    """
    if connection.dialect.name != "sqlite":
        return
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout = {_FORGET_WAIT_MS}")
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
