"""Write network and calibration as a checked bundle with a card."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from ml.export.assembly_recipe import AssemblyRecipe
from ml.runtime.bundle import BUNDLE_FILE, CARD_FILE, SCHEMA, WEIGHTS_FILE
from ml.runtime.calibration.llr import Calibration
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.kinds import MEAN_BEAT_KIND, NETWORK_KIND, newest_preparation
from ml.training.recipe import BundleNames, Recipe

TRAINING_DATA = ("PhysioNet/CinC Challenge 2017, train people of our split (ODC-By 1.0)",)
COMPARES = "Vectors are compared by {}, and only with vectors of this version."


@dataclass(frozen=True)
class BundleDescription:
    """Contents of a bundle, besides its weights and its calibration.

    Args:
        names: Id, version, license.
        kind: Selects the code that serves it.
        preprocessing: Parameters of the kind's preparation.
        summary: First paragraph of the card, without line breaks.
        recipe_sha256: Of the recipe that made it.
    """

    names: BundleNames
    kind: str
    preprocessing: Mapping[str, Any]
    summary: str
    recipe_sha256: str


def describe_mean_beat(recipe: Recipe, vector_size: int) -> BundleDescription:
    """Describe a bundle of discriminant axes over the mean beat."""
    window = recipe.mean_beat
    summary = (
        "Identity vector from one lead of ECG. The robust mean heartbeat "
        f"({window.before_s:g} s before to {window.after_s:g} s after the center of the QRS, "
        f"{window.fs_hz:g} Hz, standardized) is turned upright by a linear functional. It is then projected "
        f"on {vector_size} discriminant axes, which are scaled by the scatter within people, to unit norm."
    )
    return BundleDescription(recipe.bundle, MEAN_BEAT_KIND, asdict(recipe.mean_beat), summary, recipe.sha256)


def describe_network(
    recipe: AssemblyRecipe, mean_beat: MeanBeatConfig, vector_size: int
) -> BundleDescription:
    """Describe a bundle of networks over windows and mean beat."""
    windows, plan = recipe.windows, recipe.assembly
    seconds = windows.n_samples / windows.fs_hz
    beats = (
        f" A second network over the robust mean heartbeat (`{plan.beats}`) makes "
        f"{100 * (1.0 - plan.window_weight):g} % of the cosine."
        if plan.beats
        else ""
    )
    summary = (
        f"Identity vector from one lead of ECG. Up to {windows.max_windows} windows of {seconds:.2f} s "
        f"({windows.fs_hz:g} Hz, standardized) are turned upright by a linear functional of the mean "
        f"heartbeat, embedded by a network (`{plan.windows}`) and averaged.{beats} "
        f"The vector has {vector_size} numbers and unit norm."
    )
    preprocessing = {"mean_beat": asdict(mean_beat), "windows": asdict(windows)}
    return BundleDescription(recipe.bundle, NETWORK_KIND, preprocessing, summary, recipe.sha256)


def write_bundle(
    models: Path,
    description: BundleDescription,
    weights: bytes,
    calibration: Calibration,
    *,
    calibration_data: Mapping[str, Any],
    operating_points: Sequence[Mapping[str, Any]],
    vector_size: int,
) -> BundledEncoder:
    """Write `models/<id>@<version>/` and load it back.

    Raises:
        BundleError: The written bundle cannot be served.
    """
    fields = bundle_fields(
        description,
        calibration,
        modality="ecg",
        vector_size=vector_size,
        training_data=TRAINING_DATA,
        calibration_data=calibration_data,
        operating_points=operating_points,
    )
    return put_bundle(models, fields, weights, card(fields, description.summary))


def bundle_fields(
    description: BundleDescription,
    calibration: Calibration,
    *,
    modality: str,
    vector_size: int,
    training_data: Sequence[str],
    calibration_data: Mapping[str, Any],
    operating_points: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what `bundle.json` says, besides the checksums of the other files."""
    names = description.names
    return {
        "schema": SCHEMA,
        "id": names.id,
        "version": names.version,
        "kind": description.kind,
        "modality": modality,
        "preprocessing": dict(description.preprocessing),
        **newest_preparation(description.kind),
        "vector_size": vector_size,
        "metric": "cosine",
        "licence": names.licence,
        "training_data": list(training_data),
        "recipe_sha256": description.recipe_sha256,
        "git_revision": git_revision(),
        "operating_points": list(operating_points),
        "calibration_data": dict(calibration_data),
        "calibration": rounded(calibration.to_dict()),
    }


def put_bundle(models: Path, fields: Mapping[str, Any], weights: bytes, card_text: str) -> BundledEncoder:
    """Write the files of a bundle and load them back.

    Raises:
        BundleError: The written bundle cannot be served.
    """
    directory = models / f"{fields['id']}@{fields['version']}"
    directory.mkdir(parents=True, exist_ok=True)
    contents = {WEIGHTS_FILE: weights, CARD_FILE: card_text.encode()}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    whole = {**fields, "files": checksums}
    (directory / BUNDLE_FILE).write_text(_readable_json(whole) + "\n", encoding="utf-8")
    return load_bundle(directory)


def card(fields: Mapping[str, Any], summary: str) -> str:
    """Write the model card from the fields of `bundle.json` and a first paragraph."""
    about = fields["calibration_data"]
    rows = "\n".join(
        f"| {p['seconds']:g} | {p['fmr']:g} | {p['threshold_db']:.2f} | {100 * p['measured_fmr']:.3f} % "
        f"| {p['non_matches']}/{p['mated']} = {100 * p['fnmr']:.1f} % "
        f"({100 * p['fnmr_interval_95'][0]:.1f}–{100 * p['fnmr_interval_95'][1]:.1f}) "
        f"| {p['failures_to_acquire']} |"
        for p in fields["operating_points"]
    )
    return f"""# {fields["id"]}@{fields["version"]}

{fill(summary + " " + COMPARES.format(fields["metric"]), 110)}

- License: {fields["licence"]}. Weights were fitted on: {"; ".join(fields["training_data"])}. Cite the sets
  and PhysioNet.
- Amplitude and polarity of a recording do not matter. Leads far from lead I were not part of the training.
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Calibration

{about["people"]} people ({about["set"]}) set scores and thresholds. None of them was used for fitting
weights. They make {about["non_mated_pairs"]} unordered pairs of different people.

**Mated scores come from the same recording**: its first seconds against its last, at most half of it each.
They do not cover other days, other sensors or other postures. Expect more false non-matches there. A
gallery of 30 subjects or more corrects its own null.

The table shows error rates on the calibration people. A failure to acquire counts as a non-match. Intervals
are 95 % (Wilson).

| seconds | policy FMR | threshold dB | measured FMR | FNMR (interval) | failures to acquire |
|---|---|---|---|---|---|
{rows}

## Limits

- The recordings come from one make of hand-held device. Many are of patients with arrhythmia. There are no
  labels of age, sex or ethnicity, so differences between groups are unknown.
- Heart rate moves the T wave and with it the vector. New conduction blocks or infarctions change it.
- A re-sent recording is not detected. This is not a medical device.
"""


def git_revision() -> str:
    """Commit of the running code, with `+` if files of `ml` differ; `unknown` outside a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def rounded(value: Any) -> Any:
    """Eight digits are more than the data support, and halve the file."""
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value


def _readable_json(fields: Mapping[str, Any]) -> str:
    """Indent objects, keep lists of numbers on one line."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}"
