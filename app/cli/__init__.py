"""Operator's commands: set up, migrate, serve, API keys, galleries, models."""

from __future__ import annotations

import json
import sys

import typer

from app.cli.backing_up import backup
from app.cli.doctor import doctor
from app.cli.fetching import fetch_models
from app.cli.keys import keys
from app.cli.listings import galleries, models
from app.cli.serving import healthcheck, serve
from app.cli.setting_up import migrate, setup
from app.domain.errors import PulseprintError

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
for command in (setup, migrate, serve, healthcheck, backup, doctor):
    cli.command()(command)
models.command("fetch")(fetch_models)
cli.add_typer(keys, name="keys")
cli.add_typer(galleries, name="galleries")
cli.add_typer(models, name="models")


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from app.main import create_app

    typer.echo(json.dumps(create_app().openapi(), indent=2, ensure_ascii=False))


def main() -> None:
    """Run a command; configuration errors are one line, not a traceback."""
    try:
        cli()
    except PulseprintError as error:
        typer.echo(f"pulseprint: {error.detail}", err=True)
        sys.exit(1)
