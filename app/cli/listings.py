"""`galleries list` and `models list`."""

from __future__ import annotations

import typer

from app.config import load_settings

galleries = typer.Typer(no_args_is_help=True, help="Galleries.")
models = typer.Typer(no_args_is_help=True, help="Bundles in use, and those that can be fetched.")


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
    from app.adapters.activity import load_recognizer
    from app.adapters.encoders import load_encoders

    settings = load_settings()
    encoders = load_encoders(settings.models_dir, settings.chosen_encoders)
    for encoder in encoders.all():
        mark = "default" if encoders.default(encoder.modality) is encoder else ""
        typer.echo(f"{encoder.encoder_id}\t{encoder.modality}\t{encoder.card.licence}\t{mark}")
    recognizer = load_recognizer(settings.models_dir, settings.chosen_recognizer)
    if recognizer is not None:
        typer.echo(f"{recognizer.card.encoder_id}\tactivity\t{recognizer.card.licence}\tdefault")
