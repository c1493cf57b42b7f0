"""Which schema a database has, and whether this code may run on it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from app.adapters.db.engine import for_reading
from app.adapters.db.faults import translated_faults
from app.adapters.db.tables import SCHEMA_REVISION
from app.domain.errors import ConfigurationError


def check_schema(engine: Engine) -> None:
    """Refuse a database that this code must not run on.

    Raises:
        ConfigurationError: Not migrated, older than the code, or newer than `schema_compat` allows.
        TemporaryError: The database does not answer.
    """
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
        raise ConfigurationError(
            f"There is no database at {engine.url.database}: run `python -m app.cli migrate`."
        )
    with translated_faults(), for_reading(engine).connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if not {"alembic_version", "schema_compat"} <= tables:
            raise ConfigurationError(
                "The database has no Pulseprint tables: run `python -m app.cli migrate`."
            )
        stored = connection.scalar(text("SELECT version_num FROM alembic_version"))
        oldest_code = connection.scalar(text("SELECT oldest_code FROM schema_compat"))
    _judge(stored, oldest_code)


def _judge(stored: str | None, oldest_code: str | None) -> None:
    """Revisions begin with their date, so that their order is that of text."""
    if stored is None or oldest_code is None:
        raise ConfigurationError("The database is half migrated: run `python -m app.cli migrate`.")
    if stored < SCHEMA_REVISION:
        raise ConfigurationError(
            f"The database has schema {stored}, this code needs {SCHEMA_REVISION}: "
            "run `python -m app.cli migrate`."
        )
    if stored > SCHEMA_REVISION and oldest_code > SCHEMA_REVISION:
        raise ConfigurationError(
            f"The database has schema {stored}, which needs code of schema {oldest_code} or newer; "
            f"this code has {SCHEMA_REVISION}: install a newer release."
        )
