"""Features of the motion set → heads → a checked activity bundle with a card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ml.data.motion import ACTIVITIES
from ml.evaluation.activity.protocols import fitted_correlation, shipped_examples
from ml.evaluation.activity.timelines import Chaining, JoinedStrip, TimelineBench, best_chaining
from ml.evaluation.activity.windows import ACTIVITY_GROUPS
from ml.export.activity.card import activity_card
from ml.export.activity.network import activity_network
from ml.export.bundle_writer import git_revision
from ml.runtime.bundle import ACTIVITY_KIND, BUNDLE_FILE, CARD_FILE, SCHEMA, WEIGHTS_FILE
from ml.runtime.ecg.activity.bundle import ActivityConfig, BundledRecognizer, load_recognizer
from ml.runtime.ecg.activity.feature_constants import newest_features
from ml.runtime.ecg.activity.features import FEATURE_NAMES
from ml.runtime.ecg.activity.trunk import TrunkWindows
from ml.training.activity.examples import MotionFeatures
from ml.training.activity.fitting import FittedHead, HeadChoices, fit_head
from ml.training.activity.recipe import ActivityRecipe

# The set's walk_4kmh and run_8kmh become walking and running: a service does not measure speed.
PUBLIC_NAMES: Mapping[str, str] = {
    "rest": "rest",
    "arm_movements": "arm_movements",
    "walk_4kmh": "walk",
    "run_8kmh": "run",
    "squats": "squats",
}
TRAINING_DATA = (
    "Kalouskova 2024, motion artifacts of a wearable ECG (github.com/kalouskova/DP), GPL-3.0",
    "PhysioNet/CinC Challenge 2017, train people of our split (ODC-By 1.0): trunk; some: their mean at rest",
)


def fit_heads(features: MotionFeatures, contexts_s: Sequence[float]) -> list[FittedHead]:
    """Fit the heads of a bundle to all people, by context, without a resting baseline and with one."""
    fitted = []
    for context_s in contexts_s:
        for own_rest in (False, True):
            examples = shipped_examples(features, context_s, own_rest=own_rest)
            fitted.append(fit_head(examples.where(examples.evaluated), len(ACTIVITIES)))
    return fitted


def fit_correlations(
    features: MotionFeatures, contexts_s: Sequence[float], fitted: Sequence[FittedHead]
) -> tuple[float, float]:
    """Fit the correlation between windows of a strip, from the heads of the longest context; arguments and
    order as in `fit_heads`, whose heads `fitted` are.
    """
    longest_s = max(contexts_s)
    alone, with_rest = (
        fitted_correlation(
            features, longest_s, head, shipped_examples(features, longest_s, own_rest=own_rest)
        )
        for own_rest, head in zip((False, True), fitted[-2:], strict=True)
    )
    return alone, with_rest


def fit_chainings(
    features: MotionFeatures,
    strips: Sequence[JoinedStrip],
    recipe: ActivityRecipe,
    fitted: Sequence[FittedHead],
) -> tuple[Chaining, Chaining]:
    """Choose the smoothing of timelines on held-out people, without a resting baseline and with one.
    `fitted` are the heads of `fit_heads`.
    """
    context_s, step_s = recipe.timeline.context_s, recipe.heads.step_s
    first = 2 * recipe.heads.contexts_s.index(context_s)
    chainings = []
    for own_rest in (False, True):
        bench = TimelineBench(features, context_s, step_s, strips, own_rest)
        chainings.append(best_chaining(*bench.left_out(fitted[first + own_rest]), bench.stay))
    return chainings[0], chainings[1]


def write_activity_bundle(
    models: Path,
    recipe: ActivityRecipe,
    trunk: bytes,
    fitted: Sequence[FittedHead],
    chainings: tuple[Chaining, Chaining],
    *,
    correlations: tuple[float, float],
    people: int,
    figures: Sequence[Mapping[str, Any]],
) -> BundledRecognizer:
    """Write `models/<id>@<version>/` and load it back.

    Args:
        models: Folder of all bundles.
        recipe: Of the bundle.
        trunk: An ONNX file from `ml.export.activity.trunk_export`.
        fitted: Heads by context, without a resting baseline and with one.
        chainings: Of timelines, without a baseline and with one.
        correlations: Between windows of a strip, without a baseline and with one.
        people: Number of people that the heads were fitted to.
        figures: Measured on held-out people, for `operating_points`.

    Raises:
        BundleError: The written bundle cannot be served.
    """
    config = ActivityConfig(
        features=FEATURE_NAMES,
        trunk=TrunkWindows(step_s=recipe.trunk.step_s),
        contexts_s=recipe.heads.contexts_s,
        step_s=recipe.heads.step_s,
        timeline_context_s=recipe.timeline.context_s,
        dwell_s=recipe.timeline.dwell_s,
        evidence_weights=(chainings[0].weight, chainings[1].weight),
        timeline_temperatures=(round(chainings[0].temperature, 4), round(chainings[1].temperature, 4)),
        window_correlations=(round(correlations[0], 4), round(correlations[1], 4)),
    )
    names = recipe.bundle
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "id": names.id,
        "version": names.version,
        "kind": ACTIVITY_KIND,
        "modality": "ecg",
        "classes": [PUBLIC_NAMES[name] for name in ACTIVITIES],
        "groups": {group: [PUBLIC_NAMES[name] for name in own] for group, own in ACTIVITY_GROUPS.items()},
        "preprocessing": asdict(config),
        **newest_features(),
        "licence": names.licence,
        "training_data": list(TRAINING_DATA),
        "recipe_sha256": recipe.sha256,
        "git_revision": git_revision(),
        "operating_points": list(figures),
        "calibration_data": {"people": people, "set": "motion set, leave one person out, nested"},
        "calibration": {
            "view_shares": [view.share for view in fitted[0].head.views],
            "heads": [_choices(head.choices) for head in fitted],
        },
    }
    contents = {
        WEIGHTS_FILE: activity_network(trunk, [head.head for head in fitted], len(FEATURE_NAMES)),
        CARD_FILE: activity_card(fields).encode(),
    }
    fields["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    directory = models / f"{names.id}@{names.version}"
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())
    (directory / BUNDLE_FILE).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return load_recognizer(directory)


def _choices(choices: HeadChoices) -> dict[str, Any]:
    views = [{name: round(value, 4) for name, value in view._asdict().items()} for view in choices.views]
    together = {name: round(getattr(choices, name), 4) for name in ("temperature", "contamination")}
    return {"views": views, **together}
