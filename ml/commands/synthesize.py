"""`python -m ml.cli synthesize fingerprints`: computed fingerprints as image files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from ml.synthetic.fingerprint import QUALITIES, SENSORS
from ml.synthetic.fingerprint.conditions import DEFAULT_QUALITY
from ml.synthetic.fingerprint.folder import TRUTH_FILE, Order, write_folder
from ml.synthetic.fingerprint.impression import HIGHEST_DPI, LOWEST_DPI
from ml.synthetic.fingerprint.png import encode_png
from ml.synthetic.fingerprint.sensors import DEFAULT_SENSOR
from ml.synthetic.fingerprint.sheet import draw_sheet

console = Console(stderr=True)
stages = typer.Typer(no_args_is_help=True, help="Captures of computed people.")


def register(app: typer.Typer) -> None:
    """Add the command `synthesize` to a command line."""
    app.add_typer(stages, name="synthesize")


@stages.command()
def fingerprints(
    folder: Annotated[Path, typer.Argument(help="Where the images go.", file_okay=False)],
    *,
    fingers: Annotated[int, typer.Option(min=1, help="How many fingers.")] = 10,
    impressions: Annotated[int, typer.Option(min=1, help="Of each finger.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Of the first finger; the others follow.")] = 0,
    quality: Annotated[str, typer.Option(help=f"One of {', '.join(QUALITIES)}.")] = DEFAULT_QUALITY,
    sensor: Annotated[str, typer.Option(help=f"One of {', '.join(SENSORS)}.")] = DEFAULT_SENSOR,
    dpi: Annotated[int, typer.Option(min=LOWEST_DPI, max=HIGHEST_DPI, help="Resolution.")] = 500,
) -> None:
    """Write impressions of computed fingers as PNG files, with the minutiae that they show."""
    for name, known in ((quality, QUALITIES), (sensor, SENSORS)):
        if name not in known:
            raise typer.BadParameter(f"expected {', '.join(known)}, found {name!r}")
    order = Order(fingers, impressions, seed, quality, sensor, dpi)
    written = write_folder(folder, order)
    for _ in track(written, "computing", total=fingers * impressions, console=console):
        pass
    console.print(f"wrote {fingers * impressions} images and {TRUTH_FILE} → {folder}")


@stages.command()
def sheet(
    path: Annotated[Path, typer.Argument(help="The picture to write.", dir_okay=False)] = Path(
        "build/prints.png"
    ),
    *,
    seed: Annotated[int, typer.Option(min=0, help="Of the first finger; the others follow.")] = 0,
) -> None:
    """Draw computed fingerprints of every sensor and quality into one picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with console.status("drawing"):
        path.write_bytes(encode_png(draw_sheet(seed), dpi=500))
    console.print(f"drawn → {path}")
