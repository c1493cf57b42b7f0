"""`python -m ml.cli activity features | evaluate | compare | export`: stages of the activity bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ml.data.motion import MotionRecord, read_motion_records
from ml.data.records import DataError, EcgRecord
from ml.evaluation.activity.protocols import a3_rows
from ml.evaluation.activity.timelines import JoinedStrip, TimelineBench, joined_strips, timeline_row
from ml.export.activity.building import fit_chainings, fit_correlations, fit_heads, write_activity_bundle
from ml.export.activity.stages import load_features, load_trunk, save_features
from ml.export.bundle_writer import git_revision
from ml.runtime.bundle import BundleError
from ml.runtime.ecg.activity.trunk import Trunk, TrunkWindows
from ml.training.activity.examples import (
    OWN_REST_S,
    MotionFeatures,
    motion_features,
    read_resting_other_sensor,
    resting_other_sensor,
)
from ml.training.activity.recipe import ActivityRecipe, read_activity_recipe
from ml.training.recipe import RecipeError

console = Console(stderr=True)
stages = typer.Typer(no_args_is_help=True, help="The bundle that recognizes a wearer's activity.")

RECIPE = Path("ml/recipes/activity.toml")
RESULTS = Path("results/activity")
KEPT_WEIGHTS = Path("ml/weights")

RecipeOption = Annotated[Path, typer.Option("--recipe", help="The experiment.", exists=True, dir_okay=False)]
DataOption = Annotated[Path, typer.Option("--data", help="The folder that holds ecg/.", file_okay=False)]
VarOption = Annotated[Path, typer.Option("--var", help="Where stages keep their files.", file_okay=False)]
ResultsOption = Annotated[Path, typer.Option("--results", help="Where results are kept.", file_okay=False)]
ModelsOption = Annotated[Path, typer.Option("--models", help="Where bundles live.", file_okay=False)]


def register(app: typer.Typer) -> None:
    """Add the command `activity` to a command line."""
    app.add_typer(stages, name="activity")


@stages.command()
def features(
    recipe: RecipeOption = RECIPE, data: DataOption = Path("../shared/data"), var: VarOption = Path("var")
) -> None:
    """Compute features of the motion set, and of people at rest with another sensor; 2 to 3 minutes."""
    plan = _read(recipe)
    records, resting = _recordings(data)
    with console.status("writing the trunk"):
        weights, trunk = _trunk(plan, plan.trunk.network, resting)
    contexts_s = plan.heads.contexts_s
    with console.status("describing windows"):
        found = motion_features(records, contexts_s, trunk, plan.heads.step_s)
        found = replace(found, other_sensor=resting_other_sensor(resting, contexts_s, trunk))
    with console.status("describing joined strips"):
        lengths_s = plan.timeline.context_s, plan.heads.step_s
        strips = joined_strips(records, found.people, lengths_s, trunk)
    console.print(f"{len(found.people)} people → {save_features(_folder(var), weights, found, strips)}")


@stages.command()
def evaluate(
    recipe: RecipeOption = RECIPE, var: VarOption = Path("var"), results: ResultsOption = RESULTS
) -> None:
    """Evaluate protocol A3 on held-out people: windows, strips and timelines."""
    plan = _read(recipe)
    found, strips = _kept(var)
    with console.status("windows and whole strips"):
        rows = a3_rows(found)
    _write(results / "a3.json", "A3, the method that ships", {"own_rest_s": OWN_REST_S, "rows": rows})
    context_s, step_s = plan.timeline.context_s, plan.heads.step_s
    with console.status("timelines"):
        benches = [TimelineBench(found, context_s, step_s, strips, own_rest) for own_rest in (False, True)]
        rows = [timeline_row(bench) for bench in benches]
    _write(results / "timelines.json", "A3, timelines of recordings put one after another", {"rows": rows})


@stages.command()
def compare(
    recipe: RecipeOption = RECIPE,
    data: DataOption = Path("../shared/data"),
    var: VarOption = Path("var"),
    results: ResultsOption = RESULTS,
    other: Annotated[
        list[str], typer.Option(help="Other networks of ml/weights to try as trunk, at the shortest length.")
    ] = ["ecg-windows", "ecg-teacher"],  # noqa: B006 - typer copies it
) -> None:
    """Compare the shipped method with other features and classifiers; about 5 minutes."""
    # These need scikit-learn.
    from ml.evaluation.activity.comparison import comparison_rows, contenders, kinds_of_features, rest_rows

    plan = _read(recipe)
    found, _ = _kept(var)
    records, resting = _recordings(data)
    shortest_s, longest_s = min(found.tables), max(found.tables)
    rows = []
    for context_s in (shortest_s, longest_s):
        table = found.tables[context_s]
        kinds = kinds_of_features(table, found.other_sensor.get(context_s))
        classifiers = contenders() if context_s == longest_s else ()
        with console.status(f"comparing at {context_s:g} s"):
            rows += comparison_rows(table, context_s, kinds, classifiers)
    for network in other:
        with console.status(f"reading by {network}"):
            _, trunk = _trunk(plan, network, resting)
            table = motion_features(records, (shortest_s,), trunk, plan.heads.step_s).tables[shortest_s]
            other_sensor = resting_other_sensor(resting, (shortest_s,), trunk)[shortest_s]
            [(name, fused), *_] = kinds_of_features(table, other_sensor).items()
            rows += comparison_rows(table, shortest_s, {f"{name} ({network})": fused})
    with console.status("comparing kinds of rest"):
        by_rest = rest_rows(found, longest_s)
    content = {"rows": rows, "rest_rows": by_rest}
    _write(results / "comparison.json", "A3, what the shipped method was chosen among", content)


@stages.command()
def export(
    recipe: RecipeOption = RECIPE,
    var: VarOption = Path("var"),
    results: ResultsOption = RESULTS,
    models: ModelsOption = Path("models"),
) -> None:
    """Fit the heads to all people and write the bundle, with the results of `evaluate`."""
    plan = _read(recipe)
    found, strips = _kept(var)
    try:
        kept = json.loads((results / "a3.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _stopped(f"no {results / 'a3.json'}; run: python -m ml.cli activity evaluate") from None
    with console.status("fitting heads"):
        fitted = fit_heads(found, plan.heads.contexts_s)
        chainings = fit_chainings(found, strips, plan, fitted)
        correlations = fit_correlations(found, plan.heads.contexts_s, fitted)
    try:
        recognizer = write_activity_bundle(
            models,
            plan,
            load_trunk(_folder(var)),
            fitted,
            chainings,
            correlations=correlations,
            people=len(found.people),
            figures=[_point(r) for r in kept["rows"]],
        )
    except BundleError as error:
        raise _stopped(str(error)) from error
    console.print(f"wrote {models / recognizer.encoder_id}")


def _point(row: Mapping[str, Any]) -> dict[str, Any]:
    """An operating point of the bundle, from a row of A3."""
    by_5, by_3 = row["classes_5"], row["classes_3"]
    what = row["asked"] if row["asked"].startswith("whole") else f"{row['context_s']:g} s, {row['asked']}"
    return {
        "asked": what,
        "own_rest": row["own_rest"],
        "windows": row["windows"],
        "accuracy_5": by_5["accuracy"],
        "accuracy_5_interval_95": by_5["accuracy_interval"],
        "accuracy_3": by_3["accuracy"],
        "accuracy_3_interval_95": by_3["accuracy_interval"],
        "ece_5": by_5["ece"],
        "ece_3": by_3["ece"],
        "ece_5_if_true": by_5["ece_if_true"],
        "ece_3_if_true": by_3["ece_if_true"],
    }


def _trunk(plan: ActivityRecipe, network: str, resting: Sequence[EcgRecord]) -> tuple[bytes, Trunk]:
    """A network of `ml/weights` as a trunk; needs torch."""
    from ml.export.activity.trunk_export import export_trunk

    config = TrunkWindows(step_s=plan.trunk.step_s)
    try:
        weights = export_trunk(KEPT_WEIGHTS / f"{network}.pt", resting, config)
    except FileNotFoundError as error:
        raise _stopped(f"no weights of {network} in {KEPT_WEIGHTS}") from error
    return weights, Trunk(weights, config)


def _recordings(data: Path) -> tuple[list[MotionRecord], list[EcgRecord]]:
    try:
        return read_motion_records(data), read_resting_other_sensor(data)
    except DataError as error:
        raise _stopped(str(error)) from error


def _kept(var: Path) -> tuple[MotionFeatures, list[JoinedStrip]]:
    try:
        return load_features(_folder(var))
    except FileNotFoundError:
        raise _stopped(f"no features in {_folder(var)}; run: python -m ml.cli activity features") from None
    except ValueError as error:
        raise _stopped(f"{error}; run: python -m ml.cli activity features") from None


def _folder(var: Path) -> Path:
    return var / "activity"


def _read(path: Path) -> ActivityRecipe:
    try:
        return read_activity_recipe(path)
    except RecipeError as error:
        raise _stopped(str(error)) from error


def _write(path: Path, title: str, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"title": title, "code": git_revision(), **content}
    path.write_text(json.dumps(_rounded(kept), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"→ {path}")


def _rounded(value: Any) -> Any:
    """Six digits are more than ten people support."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _stopped(reason: str) -> typer.Exit:
    console.print(reason, style="red", soft_wrap=True)
    return typer.Exit(code=1)
