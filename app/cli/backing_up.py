"""`backup`: copy an SQLite database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.config import load_settings
from app.domain.errors import ConfigurationError


def backup(
    target: Annotated[
        Path | None, typer.Argument(help="A file; default backup-<date>.db beside the database.")
    ] = None,
) -> None:
    """Copy an SQLite database while it serves, consistent and checked.

    A second run of a day replaces the copy of the first.
    """
    from app.adapters.db.engine import parse_url
    from app.adapters.db.sqlite_files.backup import back_up

    url = parse_url(load_settings().database_url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise ConfigurationError("Only SQLite is backed up this way: use pg_dump for PostgreSQL.")
    source = Path(url.database)
    chosen = target or source.with_name(f"backup-{datetime.now(UTC):%Y-%m-%d}.db")
    back_up(source, chosen)
    typer.echo(f"{chosen}: {chosen.stat().st_size:,} bytes, checked.")
