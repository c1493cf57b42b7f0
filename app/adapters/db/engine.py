"""Engines on SQLite or PostgreSQL, and the two ways to use them: reading and writing (DESIGN §6)."""

from __future__ import annotations

import math
import time
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from app.adapters.db.sqlite import WRITES, open_sqlite
from app.domain.errors import ConfigurationError

_POOL: dict[str, Any] = {"pool_size": 16, "max_overflow": 16, "pool_timeout": 5.0}
_IDLE_SINCE_S = "pulseprint_idle_since_s"
_TRUSTED_S = 1.0  # A connection used so lately is taken to be alive.
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
        return open_sqlite(parsed, **_POOL)
    return _open_postgresql(parsed)


def parse_url(url: str) -> URL:
    """The URL, with the driver that we use."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):  # Their messages repeat the URL, password included.
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


def _open_postgresql(url: URL) -> Engine:
    connect_args: dict[str, Any] = {"connect_timeout": 5}
    if "options" not in url.query:
        connect_args["options"] = _POSTGRESQL_OPTIONS
    engine = create_engine(url, hide_parameters=True, connect_args=connect_args, **_POOL)

    def note_idle(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_IDLE_SINCE_S] = time.monotonic()

    def ping_if_long_idle(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get(_IDLE_SINCE_S, math.inf) > _TRUSTED_S:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error:
                raise DisconnectionError from None  # The pool drops it and connects anew.

    # A restarted server costs no request, and a busy one no round trip for each unit of work.
    event.listen(engine, "checkin", note_idle)
    event.listen(engine, "checkout", ping_if_long_idle)
    return engine


def for_reading(engine: Engine) -> Engine:
    """The same pool; transactions see one snapshot and refuse writes."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{WRITES: False})


def for_writing(engine: Engine) -> Engine:
    """The same pool; PostgreSQL reads what is committed, SQLite takes the one write lock first."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=False)
    return engine.execution_options(**{WRITES: True})
