"""`keys …`: API keys, and the master key that wraps everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app.cli.opening import open_access
from app.config import load_settings
from app.domain.errors import ConfigurationError
from app.domain.subjects import ALL_GALLERIES, ApiClient, Scope, is_name

keys = typer.Typer(no_args_is_help=True, help="API keys, and the master key that wraps everything.")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="Who it is for.")],
    scopes: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(Scope)}.")],
    galleries: Annotated[
        str, typer.Option(help="Comma-separated names, or '*' for all, also those to come.")
    ],
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
    with open_access(load_settings()) as access:
        absent = access.absent_galleries(granted)
        if absent:
            raise ConfigurationError(
                f"There is no gallery {', '.join(absent)}: correct it, or make it first (POST /galleries)."
            )
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
    with open_access(load_settings()) as access:
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
    with open_access(load_settings()) as access:
        revoked = access.revoke(client_id.removeprefix("pp_").partition("_")[0])
    if not revoked:
        raise ConfigurationError("There is no valid API key with this id.")
    typer.echo("Revoked.")


@keys.command("rewrap")
def rewrap_keys() -> None:
    """Wrap every gallery key with the first of PULSEPRINT_MASTER_KEYS; the others may go afterwards."""
    from app.adapters.db.binding_key import rewrap_binding_key
    from app.adapters.db.key_check import renew_key_check
    from app.bootstrap import bind_store, open_store, open_vault

    settings = load_settings()
    count = 0
    with open_store(settings) as (engine, store):
        vault = open_vault(settings, engine)
        bind_store(engine, store, vault)
        with store.writing() as uow:
            for gallery in uow.galleries.all():
                wrapped = vault.rewrap_gallery_key(gallery)
                if wrapped is not None:
                    uow.galleries.set_wrapped_key(gallery.uuid, wrapped)
                    count += 1
        rewrap_binding_key(engine, vault)
        renew_key_check(engine, vault)
    typer.echo(f"{count} gallery keys rewrapped; restart the service, then remove the old master key.")


def _state(client: ApiClient) -> str:
    if not client.intact:
        return "damaged: refused"
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
