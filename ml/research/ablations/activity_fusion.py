"""Ablation: weight of the trunk in activity heads. `python -m ml.research.ablations.activity_fusion`.

For each person held out under A3, heads of both views are fitted to the nine others. They are fused with
each of several fixed shares of the trunk, or with shares fitted to these nine. The loss "within" is that of
the nine, each predicted by heads fitted to the other eight. Calibration (and shares, where fitted) come from
the same nine, which flatters fitted shares. One share serves all heads: the fixed one with the least loss
within, summed over all window lengths, with and without a resting baseline. It has the least loss under A3,
too. Needs `python -m ml.cli activity features`; writes `results/activity/fusion.json`. About 5 minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track
from scipy.optimize import minimize

from ml.data.motion import ACTIVITIES
from ml.evaluation.activity.protocols import Answers, shipped_examples
from ml.export.activity.stages import load_features
from ml.export.bundle_writer import git_revision
from ml.metrics.confidence import negative_log_likelihood, smoothed_loss
from ml.runtime.ecg.activity.head import FloatArray, IntArray, contaminated
from ml.training.activity.examples import FeatureTable
from ml.training.activity.fitting import (
    CONTAMINATIONS,
    Examples,
    HeadChoices,
    choose_view,
    fit_calibration,
    fit_chosen_head,
)

RESULT = Path("results") / "activity" / "fusion.json"
N_CLASSES = len(ACTIVITIES)
TRUNK_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)
# Log probabilities of both views, of windows of held-out people → shares of both.
Weigh = Callable[[list[FloatArray], IntArray], FloatArray]


class Person(NamedTuple):
    """One held-out person and the others.

    Args:
        within: Log probabilities of the others' windows by each view, from heads fitted without their person.
        classes: Of these windows.
        held_out: Log probabilities of the held-out person's windows by each view.
        rows: Which windows these are, bool.
    """

    within: list[FloatArray]
    classes: IntArray
    held_out: list[FloatArray]
    rows: np.ndarray


def fitted_shares(logits: list[FloatArray], classes: IntArray) -> FloatArray:
    """Return the shares with the least smoothed loss, fitted together with a contamination."""
    stacked = np.stack(logits)

    def loss(found: FloatArray) -> float:
        return smoothed_loss(contaminated(np.tensordot(found[:-1], stacked, axes=1), found[-1]), classes)

    bounds = [(0.05, 2.0)] * len(logits) + [CONTAMINATIONS]
    found = minimize(loss, [0.5] * len(logits) + [0.02], method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:-1])


def fixed_share(trunk: float) -> Weigh:
    """Return a fixed share for the trunk; the hand-crafted features get the rest."""
    return lambda *_: np.array([1.0 - trunk, trunk])


WAYS: dict[str, Weigh] = {f"{share:g}": fixed_share(share) for share in TRUNK_SHARES}
WAYS["fitted for each head"] = fitted_shares


def people(examples: Examples) -> list[Person]:
    """Fit heads of each view, leaving out one person after another."""
    found = []
    for person in np.unique(examples.people):
        own = examples.people == person
        known = examples.where(~own & examples.evaluated)
        within, held_out = [], []
        for view in examples.parts:
            seen = known.seen(view)
            choices, left_out = choose_view(seen, N_CLASSES)
            within.append(left_out)
            head = fit_chosen_head(seen, N_CLASSES, HeadChoices((choices,)))
            held_out.append(head.logits(examples.inputs[own][:, view.columns]))
        found.append(Person(within, known.classes, held_out, own))
    return found


def row(name: str, table: FeatureTable, left_out: list[Person], scored: np.ndarray) -> dict[str, Any]:
    """Measure one choice of shares."""
    logits, losses, shares = np.zeros((table.activity.size, N_CLASSES)), [], []
    for person in left_out:
        weights = WAYS[name](person.within, person.classes)
        fused = np.tensordot(weights, np.stack(person.within), axes=1)
        temperature, contamination = fit_calibration(fused, person.classes)
        within = contaminated(fused, contamination, temperature)
        losses.append(negative_log_likelihood(within, person.classes))
        shares.append(weights[1] / weights.sum())
        fused = np.tensordot(weights, np.stack(person.held_out), axes=1)
        logits[person.rows] = contaminated(fused, contamination, temperature)
    figures = Answers(logits, table.activity, table.person, table.mute).where(scored).figures()
    by_5, by_3 = figures["classes_5"], figures["classes_3"]
    return {
        "trunk_share": name,
        "mean_share": round(float(np.mean(shares)), 3),
        "loss_within": round(float(np.mean(losses)), 4),
        "a3_loss": round(by_5["nll"], 4),
        "a3_accuracy_5": round(by_5["accuracy"], 4),
        "a3_accuracy_3": round(by_3["accuracy"], 4),
        "a3_ece_5": round(by_5["ece"], 4),
        "a3_ece_3": round(by_3["ece"], 4),
    }


def main() -> None:
    """Measure windows of every length, with and without a resting baseline."""
    features, _ = load_features(Path("var/activity"))
    settings = [(context_s, own_rest) for context_s in features.tables for own_rest in (False, True)]
    kept = []
    for context_s, own_rest in track(settings, "fusing"):
        table = features.tables[context_s]
        left_out = people(shipped_examples(features, context_s, own_rest=own_rest))
        scored = ~table.in_own_rest if own_rest else np.ones(table.mute.size, dtype=np.bool_)
        about = {"context_s": context_s, "own_rest": own_rest}
        kept += [{**about, **row(name, table, left_out, scored)} for name in WAYS]
    within = {
        name: round(sum(one["loss_within"] for one in kept if one["trunk_share"] == name), 4) for name in WAYS
    }
    content = {
        "title": "A3 and within: how much the trunk counts beside features made by hand",
        "code": git_revision(),
        "loss_within_summed": within,
        "rows": kept,
    }
    RESULT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for one in kept:
        print(*one.values())
    for name, loss in within.items():
        print(f"trunk share {name}: loss within, summed, {loss}")


if __name__ == "__main__":
    main()
