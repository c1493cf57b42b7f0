"""`python -m ml.cli fingerprint train | calibrate | export | evaluate`: the bundle that compares minutiae."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from ml.data.fingerprints import FCJ_CALIBRATION_PEOPLE, FCJ_TEST_PEOPLE, read_fcj, read_socofing
from ml.evaluation.fingerprint.figures import figures, headline
from ml.evaluation.fingerprint.protocols import FINGERPRINT_PROTOCOLS, score_set
from ml.evaluation.fingerprint.shortlist import gallery_and_probes, shortlist_figures
from ml.evaluation.kept_results import RESULTS
from ml.evaluation.looks import log_look
from ml.evaluation.result_lines import keep_lines
from ml.export.fingerprint_bundle import write_fingerprint_bundle
from ml.runtime.bundle import WEIGHTS_FILE, BundleError, default_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.encoder import load_bundle
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.preparation import FingerprintPreparation
from ml.runtime.parameters import read_parameters
from ml.runtime.vector_network import VectorNetwork
from ml.training.fingerprint import calibrate as calibration_stage
from ml.training.fingerprint import stages as training
from ml.training.fingerprint.impressions import TrainingPrint, extract_computed_crowd, extract_files
from ml.training.fingerprint.recipe import FingerprintRecipe, read_fingerprint_recipe
from ml.training.recipe import RecipeError

console = Console(stderr=True)
stages = typer.Typer(no_args_is_help=True, help="The fingerprint bundle, stage by stage.")

Crowd = Literal["socofing", "computed"]

RecipeOption = Annotated[Path, typer.Option("--recipe", help="The experiment.", exists=True, dir_okay=False)]
DataOption = Annotated[
    Path, typer.Option("--data", help="The folder that holds fingerprint/.", file_okay=False)
]
VarOption = Annotated[Path, typer.Option("--var", help="Where stages keep their files.", file_okay=False)]
ModelsOption = Annotated[Path, typer.Option("--models", help="Where bundles live.", file_okay=False)]

DEFAULT_RECIPE = Path("ml/recipes/fingerprint.toml")
DEFAULT_DATA = Path("../shared/data")
DEFAULT_VAR = Path("var")
COMBINER_FILE = "combiner.json"
CALIBRATION_FILE = "calibration.json"


def register(app: typer.Typer) -> None:
    """Add the command `fingerprint` to a command line."""
    app.add_typer(stages, name="fingerprint")


@stages.command()
def train(
    recipe: RecipeOption = DEFAULT_RECIPE, data: DataOption = DEFAULT_DATA, var: VarOption = DEFAULT_VAR
) -> None:
    """Fit the network of cylinders and the combiner of comparisons."""
    plan, folder = _opened(recipe, var)
    with console.status("extracting and comparing (minutes the first time, then cached)"):
        fitted = training.fit(data, plan, _cache(var))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(fitted.weights)
    (folder / COMBINER_FILE).write_text(json.dumps(asdict(fitted.combiner)))
    console.print(f"fitted to {fitted.impressions} impressions → {folder}")


@stages.command()
def calibrate(
    recipe: RecipeOption = DEFAULT_RECIPE, data: DataOption = DEFAULT_DATA, var: VarOption = DEFAULT_VAR
) -> None:
    """Fit scores (decibans) and nulls to comparisons of the calibration fingers."""
    _, folder = _opened(recipe, var)
    combiner = _combiner(folder)
    with console.status("comparing the calibration fingers (minutes)"):
        people = calibration_stage.compare_people(data, FingerprintComparer(combiner), _cache(var))
    calibration, about, points = calibration_stage.calibrate(people)
    result = {
        "combiner": asdict(combiner),
        "calibration": calibration.to_dict(),
        "calibration_data": about,
        "operating_points": points,
    }
    (folder / CALIBRATION_FILE).write_text(json.dumps(result))
    for row in calibration_stage.rows_of(points):
        console.print(row)


@stages.command()
def export(
    recipe: RecipeOption = DEFAULT_RECIPE, var: VarOption = DEFAULT_VAR, models: ModelsOption = Path("models")
) -> None:
    """Write network, combiner and calibration as a bundle."""
    plan, folder = _opened(recipe, var)
    combiner, stage = _combiner(folder), _kept(folder / CALIBRATION_FILE, "calibrate")
    if stage["combiner"] != asdict(combiner):
        _stop("the calibration belongs to another combiner; run: python -m ml.cli fingerprint calibrate")
    weights = (folder / WEIGHTS_FILE).read_bytes()
    try:
        encoder = write_fingerprint_bundle(
            models,
            plan,
            weights,
            combiner,
            Calibration.from_dict(stage["calibration"]),
            calibration_data=stage["calibration_data"],
            operating_points=stage["operating_points"],
            vector_size=VectorNetwork(FingerprintPreparation(combiner), weights).vector_size,
        )
    except BundleError as error:
        _stop(str(error))
    console.print(f"wrote {models / encoder.encoder_id}")


@stages.command()
def evaluate(
    protocol: Annotated[str, typer.Argument(help="F0 (development), F1 or F2.")],
    *,
    data: DataOption = DEFAULT_DATA,
    var: VarOption = DEFAULT_VAR,
    models: ModelsOption = Path("models"),
    results: Annotated[Path, typer.Option(help="Where results are kept.")] = RESULTS,
) -> None:
    """Compare all impressions of a protocol's sets; each look at test people is logged."""
    if protocol not in FINGERPRINT_PROTOCOLS:
        _stop(f"unknown protocol {protocol}; known: {', '.join(FINGERPRINT_PROTOCOLS)}")
    plan = FINGERPRINT_PROTOCOLS[protocol]
    encoder = load_bundle(default_bundle(models, "fingerprint"))
    comparer = encoder.preparation.comparer()
    assert isinstance(comparer, FingerprintComparer)
    scores = {}
    for name, files in plan.read(data).items():
        with console.status(f"comparing {name}"):
            scores[name] = score_set(name, files, comparer, _cache(var))
    found = {
        "protocol": protocol,
        "summary": plan.summary,
        "development": plan.development,
        "encoder": encoder.encoder_id,
        "weights_sha256": encoder.info.sha256,
        **figures(scores),
    }
    keep_lines(results / "fingerprint" / "protocols.jsonl", [found], "encoder", "protocol")
    if not plan.development:
        log_look(
            results / "looks.jsonl", protocol=protocol, bundle=encoder.encoder_id, figures=headline(found)
        )
    console.print_json(data=headline(found))


@stages.command()
def shortlist(
    *,
    data: DataOption = DEFAULT_DATA,
    var: VarOption = DEFAULT_VAR,
    models: ModelsOption = Path("models"),
    results: Annotated[Path, typer.Option(help="Where results are kept.")] = RESULTS,
    strangers: Annotated[int, typer.Option(help="Fingers of others to enroll beside.", min=0)] = 0,
    source: Annotated[
        Crowd, typer.Option(help="Whose: real ones of another sensor, or computed.")
    ] = "socofing",
) -> None:
    """Search FCJ test people among all FCJ fingers, and strangers if asked; the look is logged."""
    encoder = load_bundle(default_bundle(models, "fingerprint"))
    comparer = encoder.preparation.comparer()
    assert isinstance(comparer, FingerprintComparer)
    test = extract_files("fcj-test", read_fcj(data, FCJ_TEST_PEOPLE), _cache(var))
    others = extract_files("fcj-calibration", read_fcj(data, FCJ_CALIBRATION_PEOPLE), _cache(var))
    crowd = _strangers(source, data, strangers, _cache(var))
    enrolled, probes = gallery_and_probes(test, [*others, *crowd])
    protocol, beside = _crowded(source, len(crowd), len(enrolled))
    found = {
        "protocol": protocol,
        "summary": "FCJ2020 people 126–150, each probe against one impression of every finger of the set"
        + beside,
        "encoder": encoder.encoder_id,
        "weights_sha256": encoder.info.sha256,
        **shortlist_figures(encoder, comparer, enrolled, probes),
    }
    keep_lines(results / "fingerprint" / "protocols.jsonl", [found], "encoder", "protocol")
    log_look(results / "looks.jsonl", protocol=protocol, bundle=encoder.encoder_id, figures=found)
    console.print_json(data=found)


def _strangers(source: Crowd, data: Path, wanted: int, cache: Path) -> list[TrainingPrint]:
    """The first usable ones."""
    if not wanted:
        return []
    with console.status(f"extracting {wanted} strangers (minutes the first time, then cached)"):
        found = (
            extract_computed_crowd(wanted, cache)
            if source == "computed"
            else extract_files("socofing", read_socofing(data), cache)
        )
    usable = [one for one in found if one.written]
    if wanted > len(usable):
        _stop(f"expected at most {len(usable)} strangers, found {wanted}")
    return usable[:wanted]


def _crowded(source: Crowd, strangers: int, enrolled: int) -> tuple[str, str]:
    """Name of the protocol, and what it says of the strangers."""
    if not strangers:
        return "F2-1:N", ""
    if source == "computed":
        return f"F2-1:{enrolled}-computed", f", and of {strangers} computed fingers"
    return f"F2-1:{enrolled}", f", and of {strangers} fingers of another sensor (SOCOFing)"


def _opened(recipe: Path, var: Path) -> tuple[FingerprintRecipe, Path]:
    try:
        plan = read_fingerprint_recipe(recipe)
    except RecipeError as error:
        _stop(str(error))
    return plan, var / "train" / plan.bundle.id


def _cache(var: Path) -> Path:
    return var / "cache" / "fingerprints"


def _combiner(folder: Path) -> Combiner:
    return read_parameters(Combiner, _kept(folder / COMBINER_FILE, "train"), COMBINER_FILE)


def _kept(path: Path, stage: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        _stop(f"no {path}; run: python -m ml.cli fingerprint {stage}")
    return kept


def _stop(reason: str) -> NoReturn:
    console.print(reason, style="red", soft_wrap=True)
    raise typer.Exit(code=1)
