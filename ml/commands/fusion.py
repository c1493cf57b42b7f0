"""`python -m ml.cli fusion train`: a fusion bundle from the captures of one's own people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from ml.export.fusion_writer import FusionDescription, Naming, write_fusion_bundle
from ml.runtime.bundle import BundleError, default_bundle
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.training.fusion.captures import MODALITIES, read_people
from ml.training.fusion.people import FusionDataError, Person

console = Console(stderr=True)
stages = typer.Typer(no_args_is_help=True, help="Fusion of modalities at the level of features.")

CapturesArgument = Annotated[
    Path, typer.Argument(help="One folder per person, with folders ecg, face and fingerprint.")
]
ModelsOption = Annotated[
    Path, typer.Option("--models", help="Where the encoders are and the bundle goes.", file_okay=False)
]
ModalityOption = Annotated[
    list[str], typer.Option("--modality", help="Name it once for each of at least two modalities.")
]
VersionOption = Annotated[str | None, typer.Option(help="Of the bundle; by default of today.")]
DpiOption = Annotated[
    float | None, typer.Option(min=1, help="Of fingerprints whose files do not say their resolution.")
]
LicenceOption = Annotated[str, typer.Option(help="Of the weights.")]
StepsOption = Annotated[int, typer.Option(min=1, help="Of the optimizer.")]


def register(app: typer.Typer) -> None:
    """Add the command `fusion` to a command line."""
    app.add_typer(stages, name="fusion")


@stages.callback()
def _stages() -> None:
    """Keep `train` a command of its own, although it is the only one."""


@stages.command()
def train(
    captures: CapturesArgument,
    *,
    models: ModelsOption = Path("models"),
    modality: ModalityOption = list(MODALITIES),  # noqa: B006
    version: VersionOption = None,
    dpi: DpiOption = None,
    licence: LicenceOption = "the operator's own",
    steps: StepsOption = 1_000,
) -> None:
    """Fit FC(300), FC(150) to people's vectors, calibrate it on others, and write the bundle."""
    try:
        encoders = _encoders(models, modality)
        people = _read(captures, encoders, dpi)
        names = {modality: encoder.encoder_id for modality, encoder in encoders.items()}
        naming = Naming(version or f"{datetime.now(UTC):%Y.%m.%d}", names, licence)
        folder = _make(people, encoders, models, naming, steps)
    except (BundleError, FusionDataError) as error:
        _stop(str(error))
    console.print(f"wrote {folder}; restart the service to use it with fusion 'feature'")


def _encoders(models: Path, modalities: Sequence[str]) -> dict[str, BundledEncoder]:
    chosen = [modality for modality in MODALITIES if modality in modalities]
    if unknown := sorted(set(modalities) - set(MODALITIES)):
        raise FusionDataError(f"unknown modality {unknown[0]!r}; known: {', '.join(MODALITIES)}")
    if len(chosen) < 2:
        raise FusionDataError("there is nothing to fuse with fewer than two modalities")
    return {modality: load_bundle(default_bundle(models, modality)) for modality in chosen}


def _read(captures: Path, encoders: dict[str, BundledEncoder], dpi: float | None) -> list[Person]:
    folders = sum(path.is_dir() for path in captures.iterdir()) if captures.is_dir() else 0
    with Progress(console=console) as progress:
        task = progress.add_task("encoding captures", total=folders)
        people = read_people(captures, encoders, dpi=dpi, report=lambda _: progress.advance(task))
    console.print(f"{len(people)} of {folders} people have two usable captures of each modality")
    return people


def _make(
    people: Sequence[Person],
    encoders: Mapping[str, BundledEncoder],
    models: Path,
    naming: Naming,
    steps: int,
) -> Path:
    from ml.export.fusion_network import fusion_network  # Only this needs torch.
    from ml.training.fusion.fitting import FusionFit
    from ml.training.fusion.making import fit

    plan = FusionFit(steps=steps)
    sizes = {modality: encoder.vector_size for modality, encoder in encoders.items()}
    with Progress(console=console) as progress:
        task = progress.add_task("fitting", total=steps)
        made = fit(people, sizes, plan, lambda done: progress.update(task, completed=done))
    for one in made.figures:
        console.print(
            f"{' + '.join(one.modalities):<28} EER {100 * one.eer:.2f} %"
            f" (side by side without a network {100 * one.concatenated_eer:.2f} %)"
        )
    bundle = write_fusion_bundle(
        models,
        FusionDescription(naming, made.fitted, made.calibrated, asdict(plan)),
        fusion_network(made.network),
        vector_size=made.network.config.embedding_size,
        calibrations=made.calibrations,
        figures=made.figures,
    )
    return models / bundle.info.encoder_id


def _stop(reason: str) -> NoReturn:
    console.print(reason, style="red", soft_wrap=True)
    raise typer.Exit(code=1)
