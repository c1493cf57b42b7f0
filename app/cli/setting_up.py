"""`setup` and `migrate`: make an installation ready."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import typer

from app.cli.opening import open_access
from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError
from app.domain.subjects import Scope

ENV_FILE = Path(".env")


def setup() -> None:
    """Make a fresh installation ready: .env with a master key, migrated database, first API key.

    Does only what is missing; generates nothing if a database is there without its master key.
    """
    settings = load_settings()
    if not (settings.master_keys or settings.master_keys_file):
        _write_env(settings)
        settings = load_settings()
    _migrate(settings)
    with open_access(settings) as access:
        if "PULSEPRINT_API_KEY" in os.environ or "PULSEPRINT_API_KEY=" in _env_text():
            return
        _, token = access.create("first key", list(Scope))
    _append_env(f"PULSEPRINT_API_KEY={token}\n")
    typer.echo(f"API key with all scopes (kept in {ENV_FILE} for local clients, not shown again):\n  {token}")


def migrate() -> None:
    """Bring the database to the schema of this code."""
    _migrate(load_settings())
    typer.echo("The database is up to date.")


def _migrate(settings: Settings) -> None:
    from app.adapters.db.migrating import migrate as migrate_database
    from app.bootstrap import database_url

    migrate_database(database_url(settings))


def _write_env(settings: Settings) -> None:
    """A new .env with a random master key, unless something is there that has lost its own."""
    from app.bootstrap import database_exists

    if ENV_FILE.exists():
        raise ConfigurationError(
            f"{ENV_FILE} has no PULSEPRINT_MASTER_KEYS: restore the line, or remove {ENV_FILE} to start anew."
        )
    if database_exists(settings):
        raise ConfigurationError(
            f"There is a database but no {ENV_FILE} with its master key: restore {ENV_FILE} from your backup."
        )
    key = base64.b64encode(os.urandom(32)).decode()
    with os.fdopen(os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            "# Back this file up: without the master key the database cannot be read by anyone.\n"
            f"PULSEPRINT_MASTER_KEYS={key}\n"
        )


def _append_env(line: str) -> None:
    with os.fdopen(os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(line)


def _env_text() -> str:
    return ENV_FILE.read_text() if ENV_FILE.exists() else ""
