"""Ablation: calibration of activity heads. `python -m ml.research.ablations.activity_calibration`.

Compares a temperature alone with a temperature and a contamination, the share of uninformative windows. For
each person held out under A3, the nine others are cross-validated among themselves: the loss "within" never
uses the tenth person. A3 itself stands beside it, and was known when the second calibration was chosen. Needs
`python -m ml.cli activity features`; writes
`results/activity/calibration.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from ml.data.motion import ACTIVITIES
from ml.evaluation.activity.protocols import shipped_examples
from ml.export.activity.stages import load_features
from ml.export.bundle_writer import git_revision
from ml.metrics.confidence import expected_calibration_error, fit_temperature, negative_log_likelihood
from ml.runtime.ecg.activity.head import FloatArray, IntArray
from ml.training.activity.fitting import Calibrate, Examples, fit_calibration, fit_head

RESULT = Path("results") / "activity" / "calibration.json"


def temperature_alone(scores: FloatArray, classes: IntArray) -> tuple[float, float]:
    """The calibration of `activity@2026.11.1`."""
    return fit_temperature(scores, classes), 0.0


CALIBRATIONS: dict[str, Calibrate] = {
    "temperature": temperature_alone,
    "temperature and contamination": fit_calibration,
}


def left_out_logits(examples: Examples) -> dict[str, FloatArray]:
    """Log probabilities of all windows, each by heads fitted without its person; shape (n, n_classes)."""
    found = {name: np.empty((len(examples.classes), len(ACTIVITIES))) for name in CALIBRATIONS}
    for person in np.unique(examples.people):
        own = examples.people == person
        for name, calibrate in CALIBRATIONS.items():
            fitted = fit_head(examples.where(~own), len(ACTIVITIES), calibrate=calibrate)
            found[name][own] = fitted.head.logits(examples.inputs[own])
    return found


def rows(examples: Examples) -> list[dict[str, Any]]:
    """One row per calibration: the loss within, and A3."""
    within: dict[str, list[float]] = {name: [] for name in CALIBRATIONS}
    for person in np.unique(examples.people):
        others = examples.where(examples.people != person)
        for name, logits in left_out_logits(others).items():
            within[name].append(negative_log_likelihood(logits, others.classes))
    return [
        {
            "calibration": name,
            "loss_within": round(float(np.mean(within[name])), 4),
            "a3_loss": round(negative_log_likelihood(logits, examples.classes), 4),
            "a3_ece_5": round(expected_calibration_error(logits, examples.classes, equal_mass=False), 4),
        }
        for name, logits in left_out_logits(examples).items()
    ]


def main() -> None:
    """Measure windows of every length, with and without a resting baseline."""
    features, _ = load_features(Path("var/activity"))
    kept = []
    settings = [(context_s, own_rest) for context_s in features.tables for own_rest in (False, True)]
    for context_s, own_rest in track(settings, "calibrating"):
        examples = shipped_examples(features, context_s, own_rest=own_rest)
        found = rows(examples.where(examples.evaluated))
        kept += [{"context_s": context_s, "own_rest": own_rest, **row} for row in found]
    title = "A3 and within: a temperature alone, or with a share of windows that say nothing"
    content = {"title": title, "code": git_revision(), "rows": kept}
    RESULT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in kept:
        print(*row.values())


if __name__ == "__main__":
    main()
