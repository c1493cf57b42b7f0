"""Operator's commands: set up, migrate, serve, API keys, galleries, models."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError, PulseprintError
from app.domain.subjects import ALL_GALLERIES, ApiClient, Scope, is_name
from app.loading import loading

if TYPE_CHECKING:
    from app.services.access import AccessService

ENV_FILE = Path(".env")
HEALTHCHECK_TIMEOUT_S = 5
LISTEN_BACKLOG = 2048
OTHER_FILES = 256  # Database, models, logs, metrics.

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
keys = typer.Typer(no_args_is_help=True, help="API keys, and the master key that wraps everything.")
galleries = typer.Typer(no_args_is_help=True, help="Galleries.")
models = typer.Typer(no_args_is_help=True, help="Bundles in use.")
cli.add_typer(keys, name="keys")
cli.add_typer(galleries, name="galleries")
cli.add_typer(models, name="models")


@cli.command()
def setup() -> None:
    """Make a fresh installation ready: .env with a master key, migrated database, first API key.

    Does only what is missing; generates nothing if a database is there without its master key.
    """
    settings = load_settings()
    if not (settings.master_keys or settings.master_keys_file):
        _write_env(settings)
        settings = load_settings()
    _migrate(settings)
    with _access(settings) as access:
        if "PULSEPRINT_API_KEY" in os.environ or "PULSEPRINT_API_KEY=" in _env_text():
            return
        _, token = access.create("first key", list(Scope))
    _append_env(f"PULSEPRINT_API_KEY={token}\n")
    typer.echo(f"API key with all scopes (kept in {ENV_FILE} for local clients, not shown again):\n  {token}")


@cli.command()
def migrate() -> None:
    """Bring the database to the schema of this code."""
    _migrate(load_settings())
    typer.echo("The database is up to date.")


@cli.command()
def serve() -> None:
    """Answer HTTP until stopped."""
    settings = load_settings()
    from app.log import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    _refuse_taken_port(settings)
    _allow_open_files(settings)
    if settings.workers == 1:
        _serve_here(settings)
    else:
        _serve_many(settings)


@cli.command()
def healthcheck() -> None:
    """Exit 0 if the service on PULSEPRINT_PORT is ready, else 1."""
    import urllib.request

    url = f"http://127.0.0.1:{load_settings().port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=HEALTHCHECK_TIMEOUT_S) as answer:
            ready = answer.status == 200
    except OSError as error:
        typer.echo(f"not ready: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if ready else 1)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from app.main import create_app

    typer.echo(json.dumps(create_app().openapi(), indent=2, ensure_ascii=False))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="Who it is for.")],
    scopes: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(Scope)}.")],
    galleries: Annotated[str, typer.Option(help="Comma-separated names, or * for all.")] = ALL_GALLERIES,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days of validity; default unlimited.")
    ] = None,
) -> None:
    """Create an API key and print it, once."""
    granted = [part.strip() for part in galleries.split(",") if part.strip()]
    if not granted or not all(part == ALL_GALLERIES or is_name(part) for part in granted):
        raise ConfigurationError("--galleries takes gallery names separated by commas, or *.")
    wanted = _scopes(scopes)
    expires_at = None if expires_days is None else datetime.now(UTC) + timedelta(days=expires_days)
    with _access(load_settings()) as access:
        _, token = access.create(name, wanted, granted, expires_at)
    typer.echo(token)


@keys.command("list")
def list_keys() -> None:
    """List API keys without their secrets."""
    from rich.console import Console
    from rich.table import Column, Table

    # A narrow terminal shortens the other columns: the id is what `revoke` is given, the state what follows.
    whole = [Column("id", min_width=16), Column("state", min_width=18)]
    table = Table(*whole, "name", "scopes", "galleries", "created")
    with _access(load_settings()) as access:
        for client in access.clients():
            table.add_row(
                client.id,
                _state(client),
                client.name,
                " ".join(sorted(client.scopes)),
                " ".join(sorted(client.galleries)),
                f"{client.created_at:%Y-%m-%d}",
            )
    Console().print(table)


@keys.command("revoke")
def revoke_key(client_id: Annotated[str, typer.Argument(help="The id: pp_<id>_…")]) -> None:
    """Revoke an API key at once, in every process."""
    with _access(load_settings()) as access:
        revoked = access.revoke(client_id.removeprefix("pp_").partition("_")[0])
    if not revoked:
        raise ConfigurationError("There is no valid API key with this id.")
    typer.echo("Revoked.")


@keys.command("rewrap")
def rewrap_keys() -> None:
    """Wrap every gallery key with the first of PULSEPRINT_MASTER_KEYS; the others may go afterwards."""
    from app.adapters.db.key_check import renew_key_check
    from app.bootstrap import open_store, open_vault

    settings = load_settings()
    count = 0
    with open_store(settings) as (engine, store):
        vault = open_vault(settings, engine)
        with store.writing() as uow:
            for gallery in uow.galleries.all():
                wrapped = vault.rewrap_gallery_key(gallery)
                if wrapped is not None:
                    uow.galleries.set_wrapped_key(gallery.uuid, wrapped)
                    count += 1
        renew_key_check(engine, vault)
    typer.echo(f"{count} gallery keys rewrapped; restart the service, then remove the old master key.")


@galleries.command("list")
def list_galleries() -> None:
    """List galleries with the number of subjects and references."""
    from app.bootstrap import open_store

    with open_store(load_settings()) as (_, store), store.reading() as uow:
        for gallery in uow.galleries.all():
            subjects, references = uow.galleries.counts(gallery.uuid)
            typer.echo(f"{gallery.name}\t{subjects} subjects\t{references} references")


@models.command("list")
def list_models() -> None:
    """List bundles, checked; the default of each modality is marked."""
    from app.adapters.activity import load_recogniser
    from app.adapters.encoders import load_encoders

    settings = load_settings()
    encoders = load_encoders(settings.models_dir, settings.chosen_encoders)
    for encoder in encoders.all():
        mark = "default" if encoders.default(encoder.modality) is encoder else ""
        typer.echo(f"{encoder.encoder_id}\t{encoder.modality}\t{encoder.card.licence}\t{mark}")
    recogniser = load_recogniser(settings.models_dir, settings.chosen_recogniser)
    if recogniser is not None:
        typer.echo(f"{recogniser.card.encoder_id}\tactivity\t{recogniser.card.licence}\tdefault")


def main() -> None:
    """Run a command; configuration errors are one line, not a traceback."""
    try:
        cli()
    except PulseprintError as error:
        typer.echo(f"pulseprint: {error.detail}", err=True)
        sys.exit(1)


def _refuse_taken_port(settings: Settings) -> None:
    """Say so in one line, before anything is loaded."""
    if settings.port == 0:
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}."
            ) from None


def _allow_open_files(settings: Settings) -> None:
    """Room for all connections, and for those still in the queue when one is accepted."""
    if sys.platform == "win32":
        return
    import resource

    wanted = settings.max_connections + LISTEN_BACKLOG + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _serve_here(settings: Settings) -> None:
    # Once it has shut down, uvicorn raises the signal again; its default would end us before we clean up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        with loading():
            import uvicorn

            from app.bootstrap import open_services
            from app.main import create_app

            app = create_app(settings, stack.enter_context(open_services(settings)))
        if sys.stdout.isatty():  # For people; everybody else reads the log.
            typer.echo(f"Pulseprint at http://{settings.host}:{settings.port}/docs – Ctrl-C stops it.")
        uvicorn.run(app, **_uvicorn_options(settings))


def _serve_many(settings: Settings) -> None:
    """Several processes; what would stop each of them is checked here first, to be said once."""
    import uvicorn

    from app.bootstrap import check_settings

    check_settings(settings)
    with tempfile.TemporaryDirectory(prefix="pulseprint-metrics-") as folder:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)  # Before prometheus_client is imported.
        uvicorn.run(
            "app.main:create_app", factory=True, workers=settings.workers, **_uvicorn_options(settings)
        )


def _uvicorn_options(settings: Settings) -> dict[str, Any]:
    http: object = "auto"
    if sys.platform != "win32":
        from app.adapters.connections import BoundedHttpProtocol

        # Not a closure: workers are other processes, and get it pickled.
        http = partial(
            BoundedHttpProtocol,
            max_connections=settings.max_connections,
            client_timeout_s=settings.client_timeout_s,
        )
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop" if sys.platform != "win32" else "auto",
        "http": http,
        "ws": "none",
        "backlog": LISTEN_BACKLOG,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
        # Reached only when every connection is at work; of those that wait, one is dropped instead.
        "limit_concurrency": settings.max_connections + 1,
    }


@contextmanager
def _access(settings: Settings) -> Iterator[AccessService]:
    from app.bootstrap import open_store, open_vault, utc_now
    from app.services.access import AccessService

    with open_store(settings) as (engine, store):
        open_vault(settings, engine)  # A key for a database that cannot be read would only mislead.
        yield AccessService(store, utc_now)


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


def _state(client: ApiClient) -> str:
    if client.revoked_at is not None:
        return f"revoked {client.revoked_at:%Y-%m-%d}"
    if client.expires_at is None:
        return "valid"
    word = "until" if client.is_valid_at(datetime.now(UTC)) else "expired"
    return f"{word} {client.expires_at:%Y-%m-%d}"


def _scopes(text: str) -> list[Scope]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = sorted(set(names) - set(Scope))
    if unknown or not names:
        raise ConfigurationError(f"--scopes takes some of {', '.join(Scope)}; unknown: {', '.join(unknown)}.")
    return [Scope(name) for name in names]


if __name__ == "__main__":
    main()
