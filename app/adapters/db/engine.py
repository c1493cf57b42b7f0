"""Engines on SQLite or PostgreSQL (DESIGN §6).

`engine.begin()` writes: PostgreSQL reads what is committed, SQLite takes the one write lock first.
`for_reading(engine).begin()` sees one snapshot and refuses writes.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from app.adapters.db.sqlite_files.opening import READ_ONLY, open_sqlite
from app.domain.errors import ConfigurationError

_POOL: dict[str, Any] = {"pool_size": 16, "max_overflow": 16, "pool_timeout": 5.0}
_POSTGRESQL_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
)


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…`; the caller disposes of it.

    Parameters never appear in errors or logs: they are ciphertexts, keys and names of subjects.

    Raises:
        ConfigurationError: Not a URL, another database, or an SQLite database in memory.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return open_sqlite(parsed, json_deserializer=_read_json, **_POOL)
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
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # A restarted server costs no request.
        connect_args=connect_args,
        **_POOL,
    )


def _read_json(text: str) -> object:
    """None for what is no JSON: one damaged row must not stop the reading of others."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def for_reading(engine: Engine) -> Engine:
    """The same pool; transactions see one snapshot and refuse writes."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{READ_ONLY: True})
