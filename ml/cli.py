"""Command line of the model plane: `python -m ml.cli train | assemble | calibrate | export | …`.

Stages talk through files under `var/train/<bundle id>`; each can be rerun alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from ml.commands.activity import register as register_activity
from ml.commands.compare import register as register_comparison
from ml.commands.evaluate import register as register_evaluation
from ml.commands.evaluate import register_report
from ml.commands.face import register as register_face
from ml.commands.fingerprint import register as register_fingerprint
from ml.commands.fusion import register as register_fusion
from ml.commands.galleries import register as register_galleries
from ml.commands.heart_index import register as register_heart_index
from ml.commands.synthesize import register as register_synthesis
from ml.data.records import DataError
from ml.export.assembly_recipe import AssemblyRecipe, is_assembly_recipe, read_assembly_recipe
from ml.export.beat_network import beat_lda_network
from ml.export.bundle_writer import BundleDescription, describe_mean_beat, describe_network, write_bundle
from ml.runtime.bundle import WEIGHTS_FILE, BundleError
from ml.runtime.calibration.llr import Calibration
from ml.runtime.ecg.beat_preparation import BeatPreparation
from ml.runtime.ecg.strip_preparation import StripConfig, StripPreparation
from ml.runtime.vector_network import VectorNetwork
from ml.training import beat_lda, calibrate
from ml.training.network_recipe import is_network_recipe, read_network_recipe
from ml.training.recipe import Recipe, RecipeError, read_recipe

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
console = Console(stderr=True)

RecipeOption = Annotated[Path, typer.Option("--recipe", help="The experiment.", exists=True, dir_okay=False)]
DataOption = Annotated[Path, typer.Option("--data", help="The folder that holds ecg/.", file_okay=False)]
VarOption = Annotated[Path, typer.Option("--var", help="Where stages keep their files.", file_okay=False)]
ModelsOption = Annotated[Path, typer.Option("--models", help="Where bundles live.", file_okay=False)]
MinutesOption = Annotated[
    float | None,
    typer.Option(min=0.01, help="Minutes after which a network's training ends, evaluations aside."),
]
DeviceOption = Annotated[
    str | None, typer.Option(help="Device to train on, such as cpu or cuda:0; a GPU by default.")
]

PairsOption = Annotated[
    Path | None,
    typer.Option("--output", help="JSON to write; by default where trainings read it.", dir_okay=False),
]

DEFAULT_RECIPE = Path("ml/recipes/ecg-beat.toml")
DEFAULT_DATA = Path("../shared/data")
DEFAULT_VAR = Path("var")
CALIBRATION_FILE = "calibration.json"


@app.command()
def train(
    recipe: RecipeOption = DEFAULT_RECIPE,
    data: DataOption = DEFAULT_DATA,
    var: VarOption = DEFAULT_VAR,
    minutes: MinutesOption = None,
    device: DeviceOption = None,
) -> None:
    """Fit the encoder of a recipe and write its network; resume an interrupted training."""
    if is_network_recipe(recipe):
        _train_network(recipe, data, var, minutes, device)
        return
    if is_assembly_recipe(recipe):
        _stop(f"{recipe.name} combines trained networks; run: python -m ml.cli assemble")
    plan = _read(recipe)
    with console.status("conditioning recordings of CinC train people (minutes the first time, then cached)"):
        strips = beat_lda.training_strips(data, plan, var / "cache")
    with console.status(f"fitting to {len(strips)} recordings"):
        fitted = beat_lda.fit(strips, plan)
    folder = var / "train" / plan.bundle.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(beat_lda_network(fitted))
    console.print(f"fitted to {len(strips)} recordings → {folder / WEIGHTS_FILE}")


def _train_network(recipe: Path, data: Path, var: Path, minutes: float | None, device: str | None) -> None:
    from ml.training import networks  # Only this needs torch.
    from ml.training.devices import DeviceError

    try:
        plan, beats = read_network_recipe(recipe), read_recipe(DEFAULT_RECIPE)
        limit_s = None if minutes is None else 60.0 * minutes
        folder = networks.train(plan, beats, data, var, console, limit_s=limit_s, device=device)
    except (RecipeError, DeviceError) as error:
        _stop(str(error))
    console.print(f"trained → {folder}")


@app.command()
def repeats(
    data: DataOption = DEFAULT_DATA, var: VarOption = DEFAULT_VAR, output: PairsOption = None
) -> None:
    """Find CinC train people who are probably one person, for later trainings."""
    from ml.training.repeat_mining import find_repeats  # Only this needs torch.
    from ml.training.repeat_patients import PAIRS_FILE

    path = output or PAIRS_FILE
    try:
        with console.status("comparing first and last thirds of all recordings with two networks"):
            mined = find_repeats(_read(DEFAULT_RECIPE), data, var, path)
    except FileNotFoundError as error:
        _stop(str(error))
    console.print(f"{len(mined.pairs)} pairs among {mined.people} people → {path}")


@app.command()
def assemble(
    recipe: RecipeOption = Path("ml/recipes/ecg.toml"),
    data: DataOption = DEFAULT_DATA,
    var: VarOption = DEFAULT_VAR,
) -> None:
    """Combine trained networks into the one graph of a bundle."""
    from ml.export.assembly import assemble_for_serving  # Only this needs torch.

    plan, beats = _read_assembly(recipe), _read(DEFAULT_RECIPE)
    with console.status("fitting the polarity functional to CinC train people"):
        strips = beat_lda.training_strips(data, beats, var / "cache")
        polarity = beat_lda.fit(strips, beats).polarity
    try:
        with console.status("writing the graph"):
            weights = assemble_for_serving(plan, polarity, beats.mean_beat, strips, var)
    except FileNotFoundError as error:
        _stop(str(error))
    folder = var / "train" / plan.bundle.id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(weights)
    console.print(f"{len(weights) / 1e6:.1f} MB → {folder / WEIGHTS_FILE}")


@app.command("calibrate")
def calibrate_command(
    recipe: RecipeOption = DEFAULT_RECIPE, data: DataOption = DEFAULT_DATA, var: VarOption = DEFAULT_VAR
) -> None:
    """Fit scores (decibans) and nulls to comparisons of the calibration people."""
    plan = _read_bundle_recipe(recipe)
    folder = var / "train" / plan.bundle.id
    network = _network(plan, _trained_weights(folder))
    cohorts = []
    for seconds in plan.calibration.seconds:
        with console.status(f"encoding calibration people, {seconds:g} s"):
            strips = calibrate.cinc_strips(data, "calibration", seconds, var / "cache")
            cohorts.append(calibrate.encode_cohort(strips, network, seconds))
    with console.status("fitting the calibration"):
        calibration, about, points = calibrate.calibrate(cohorts)
    result = {
        "weights_sha256": network.sha256,
        "calibration": calibration.to_dict(),
        "calibration_data": about,
        "operating_points": points,
    }
    (folder / CALIBRATION_FILE).write_text(json.dumps(result))
    for point in points:
        console.print(
            f"{point['seconds']:>4g} s  FMR {point['fmr']:g}  measured {point['measured_fmr']:.5f}  "
            f"FNMR {point['non_matches']}/{point['mated']} = {100 * point['fnmr']:.1f} %"
        )


@app.command()
def export(
    recipe: RecipeOption = DEFAULT_RECIPE, var: VarOption = DEFAULT_VAR, models: ModelsOption = Path("models")
) -> None:
    """Write network and calibration as a bundle."""
    plan = _read_bundle_recipe(recipe)
    folder = var / "train" / plan.bundle.id
    weights = _trained_weights(folder)
    network = _network(plan, weights)
    stage = _calibration_stage(folder)
    if stage["weights_sha256"] != network.sha256:
        _stop("the calibration belongs to other weights; run: python -m ml.cli calibrate")
    try:
        encoder = write_bundle(
            models,
            _description(plan, network.vector_size),
            weights,
            Calibration.from_dict(stage["calibration"]),
            calibration_data=stage["calibration_data"],
            operating_points=stage["operating_points"],
            vector_size=network.vector_size,
        )
    except BundleError as error:
        _stop(str(error))
    console.print(f"wrote {models / encoder.encoder_id}")


def _read(path: Path) -> Recipe:
    try:
        return read_recipe(path)
    except RecipeError as error:
        _stop(str(error))


def _read_assembly(path: Path) -> AssemblyRecipe:
    try:
        return read_assembly_recipe(path)
    except RecipeError as error:
        _stop(str(error))


def _read_bundle_recipe(path: Path) -> Recipe | AssemblyRecipe:
    if is_network_recipe(path):
        _stop(f"{path.name} makes a network, not a bundle; a recipe with [assembly] puts it into one")
    return _read_assembly(path) if is_assembly_recipe(path) else _read(path)


def _network(plan: Recipe | AssemblyRecipe, weights: bytes) -> VectorNetwork:
    if isinstance(plan, Recipe):
        return VectorNetwork(BeatPreparation(plan.mean_beat), weights)
    config = StripConfig(_read(DEFAULT_RECIPE).mean_beat, plan.windows)
    return VectorNetwork(StripPreparation(config), weights)


def _description(plan: Recipe | AssemblyRecipe, vector_size: int) -> BundleDescription:
    if isinstance(plan, Recipe):
        return describe_mean_beat(plan, vector_size)
    return describe_network(plan, _read(DEFAULT_RECIPE).mean_beat, vector_size)


def _trained_weights(folder: Path) -> bytes:
    try:
        return (folder / WEIGHTS_FILE).read_bytes()
    except FileNotFoundError:
        _stop(f"no {folder / WEIGHTS_FILE}; run: python -m ml.cli train")


def _calibration_stage(folder: Path) -> dict[str, Any]:
    try:
        stage: dict[str, Any] = json.loads((folder / CALIBRATION_FILE).read_text())
    except FileNotFoundError:
        _stop(f"no {folder / CALIBRATION_FILE}; run: python -m ml.cli calibrate")
    return stage


def _stop(reason: str) -> NoReturn:
    console.print(reason, style="red", soft_wrap=True)
    raise typer.Exit(code=1)


register_evaluation(app)
register_comparison(app)
register_report(app)
register_activity(app)
register_face(app)
register_fusion(app)
register_fingerprint(app)
register_galleries(app)
register_heart_index(app)
register_synthesis(app)

if __name__ == "__main__":
    try:
        app()
    except DataError as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise SystemExit(1) from error
