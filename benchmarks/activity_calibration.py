"""`python -m benchmarks.activity_calibration`: what makes the probabilities of activity heads true.

Compares a temperature alone with a temperature and a share of windows that say nothing. What chose is the
loss on people left out of people left out: for each person asked about under A3, calibrations are fitted to
the scores of eight of the nine others and asked about the ninth. Beside it stands what A3 itself says.
Needs `python -m ml.cli activity features`; writes `docs/results/activity/calibration.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.paths import PROJECT
from ml.activity.fitting import SHRINKAGES, Examples, fit_calibration, fit_discriminants, left_out_scores
from ml.activity.head import FloatArray, contaminated
from ml.activity.stages import load_features
from ml.bundle_writer import git_revision
from ml.data.motion import ACTIVITIES
from ml.evaluation.activity_protocols import shipped_examples
from ml.evaluation.confidence import expected_calibration_error, fit_temperature, negative_log_likelihood

RESULT = PROJECT / "docs" / "results" / "activity" / "calibration.json"
# A temperature and a share of windows that say nothing.
Calibration = tuple[float, float]
Fit = Callable[[FloatArray, np.ndarray], Calibration]


def temperature_alone(scores: FloatArray, classes: np.ndarray) -> Calibration:
    """As `activity@2026.11.1` was calibrated."""
    return fit_temperature(scores, classes), 0.0


FITS: dict[str, Fit] = {
    "temperature": temperature_alone,
    "temperature and contamination": fit_calibration,
}


def probabilities(scores: FloatArray, calibration: Calibration) -> FloatArray:
    """Log probabilities of windows."""
    temperature, contamination = calibration
    return contaminated(scores, contamination, temperature)


def loss_within(scores: FloatArray, examples: Examples, fit: Fit) -> float:
    """Loss on each person by a calibration fitted to the others, a mean over people; scores are left out."""
    losses = []
    for person in np.unique(examples.people):
        own = examples.people == person
        found = fit(scores[~own], examples.classes[~own])
        losses.append(negative_log_likelihood(probabilities(scores[own], found), examples.classes[own]))
    return float(np.mean(losses))


def rows(examples: Examples) -> list[dict[str, Any]]:
    """One row per calibration: what chose, and A3."""
    told = {name: np.empty((len(examples.classes), len(ACTIVITIES))) for name in FITS}
    within: dict[str, list[float]] = {name: [] for name in FITS}
    for person in np.unique(examples.people):
        own = examples.people == person
        known = examples.where(~own)
        by_shrinkage = left_out_scores(known, len(ACTIVITIES), SHRINKAGES)
        for name, fit in FITS.items():
            fitted = [fit(scores, known.classes) for scores in by_shrinkage]
            losses = [
                negative_log_likelihood(probabilities(scores, one), known.classes)
                for scores, one in zip(by_shrinkage, fitted, strict=True)
            ]
            best = int(np.argmin(losses))
            [head] = fit_discriminants(known, len(ACTIVITIES), [SHRINKAGES[best]])
            told[name][own] = probabilities(head.scores(examples.inputs[own]), fitted[best])
            within[name].append(loss_within(by_shrinkage[best], known, fit))
    return [
        {
            "calibration": name,
            "loss_within": round(float(np.mean(within[name])), 4),
            "a3_loss": round(negative_log_likelihood(logits, examples.classes), 4),
            "a3_ece_5": round(expected_calibration_error(logits, examples.classes, equal_mass=False), 4),
        }
        for name, logits in told.items()
    ]


def main() -> None:
    """Measure windows of every length, with and without own rest."""
    features, _ = load_features(PROJECT / "var" / "activity")
    kept = []
    settings = [(context_s, own_rest) for context_s in features.tables for own_rest in (False, True)]
    for context_s, own_rest in track(settings, "calibrating"):
        examples = shipped_examples(features, context_s, own_rest=own_rest)
        found = rows(examples.where(examples.asked))
        kept += [{"context_s": context_s, "own_rest": own_rest, **row} for row in found]
    title = "A3 and within: a temperature alone, or with a share of windows that say nothing"
    content = {"title": title, "code": git_revision(), "rows": kept}
    RESULT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in kept:
        print(*row.values())


if __name__ == "__main__":
    main()
