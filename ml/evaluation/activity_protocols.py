"""A3 for the method that ships: heads on features of windows, asked about people that they never met.

Nested: whoever is asked is left out; shrinkage and temperature of the head that answers are chosen by leaving
out one after another of the nine others. Windows that allow no call (`mute`) count as wrong calls, and are
left out of the calibration error, since no probability is told of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.activity.examples import FeatureTable, MotionFeatures
from ml.activity.fitting import Examples, fit_head
from ml.activity.head import head_inputs, softmax
from ml.data.motion import ACTIVITIES
from ml.evaluation.activity_figures import call_figures, group_probabilities, probability_figures
from ml.evaluation.activity_windows import ACTIVITY_GROUPS, activity_group_indices

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
# Examples of people known → logits of windows of another, and what was chosen.
Answerer = Callable[[Examples, FloatArray], tuple[FloatArray, dict[str, float]]]

UNKNOWN = "unknown"
GROUPS = tuple(ACTIVITY_GROUPS)


@dataclass(frozen=True, eq=False)
class Answers:
    """What was told of a set of windows or strips; all arrays have one entry each.

    Attributes:
        logits: Of `ACTIVITIES`, float64, shape (n, n_classes).
        truth: Index into `ACTIVITIES`, int64, shape (n,).
        person: Whose, likewise.
        mute: Where no call was made, bool, shape (n,).
    """

    logits: FloatArray = field(repr=False)
    truth: IntArray = field(repr=False)
    person: IntArray = field(repr=False)
    mute: BoolArray = field(repr=False)

    def where(self, chosen: BoolArray) -> Answers:
        """Give some of them."""
        return Answers(self.logits[chosen], self.truth[chosen], self.person[chosen], self.mute[chosen])

    def figures(self) -> dict[str, Any]:
        """Measure them: with five classes, and with three whose probabilities are sums."""
        probabilities = softmax(self.logits)
        groups = activity_group_indices(ACTIVITIES)
        return {
            "windows": int(self.truth.size),
            "mute": int(self.mute.sum()),
            "classes_5": self._of(probabilities, self.truth, ACTIVITIES),
            "classes_3": self._of(group_probabilities(probabilities, ACTIVITIES), groups[self.truth], GROUPS),
        }

    def _of(self, probabilities: FloatArray, truth: IntArray, classes: tuple[str, ...]) -> dict[str, Any]:
        called = np.where(self.mute, len(classes), probabilities.argmax(axis=1))
        told = ~self.mute
        return {
            **call_figures(called, truth, self.person, (*classes, UNKNOWN)).to_dict(),
            **probability_figures(probabilities[told], truth[told], self.person[told]).to_dict(),
        }


def discriminant(known: Examples, asked: FloatArray) -> tuple[FloatArray, dict[str, float]]:
    """Answer by the head that ships."""
    fitted = fit_head(known, len(ACTIVITIES))
    return fitted.head.logits(asked), {"shrinkage": fitted.shrinkage, "temperature": fitted.temperature}


def table_examples(
    table: FeatureTable, rest: FloatArray | None, features: FloatArray | None = None
) -> Examples:
    """Give the windows of a table to a head.

    Args:
        table: Windows of one length.
        rest: Of each window's wearer, float64, shape (n, n_rest); None for a head that does not know it.
            With it, windows that meet what was known beforehand are not asked.
        features: Others than the table's, float64, shape (n, any).
    """
    inputs = head_inputs(table.features if features is None else features, rest)
    asked = ~table.mute if rest is None else ~(table.mute | table.in_own_rest)
    return Examples(inputs, table.activity, table.person, asked)


def leave_one_person_out(
    table: FeatureTable, examples: Examples, answerer: Answerer = discriminant
) -> tuple[Answers, list[dict[str, float]]]:
    """Ask about each person whoever learned from all others, and from nobody's windows that are not asked.

    Returns:
        Answers about all windows of the table, and what was chosen without each person, in their order.
    """
    logits = np.zeros((table.activity.size, len(ACTIVITIES)))
    choices = []
    for person in np.unique(table.person):
        own = table.person == person
        known = examples.where(~own & examples.asked)
        logits[own], choice = answerer(known, examples.inputs[own])
        choices.append(choice)
    return Answers(logits, table.activity, table.person, table.mute), choices


def strip_answers(table: FeatureTable, answers: Answers, asked: BoolArray) -> Answers:
    """Give one answer per recording: the mean logits of its windows that are asked and tell something."""
    strips = np.unique(table.record[asked])
    first = np.array([np.flatnonzero(table.record == strip)[0] for strip in strips])
    logits = np.zeros((strips.size, answers.logits.shape[1]))
    mute = np.zeros(strips.size, dtype=np.bool_)
    for row, strip in enumerate(strips):
        telling = (table.record == strip) & asked & ~table.mute
        mute[row] = not telling.any()
        if telling.any():
            logits[row] = answers.logits[telling].mean(axis=0)
    return Answers(logits, table.activity[first], table.person[first], mute)


def a3_rows(features: MotionFeatures) -> list[dict[str, Any]]:
    """Measure A3: windows of every length and whole strips, with and without own rest."""
    rows = []
    longest_s = max(features.tables)
    for context_s, table in features.tables.items():
        comparable = ~table.in_own_rest
        for own_rest in (False, True):
            rest = features.own_rest(table) if own_rest else None
            answers, choices = leave_one_person_out(table, table_examples(table, rest))
            about = {"context_s": context_s, "own_rest": own_rest}
            if not own_rest:
                rows.append({**about, "asked": "all windows", **answers.figures(), "choices": choices})
            asked = "windows without the first 20 s of rest"
            rows.append({**about, "asked": asked, **answers.where(comparable).figures(), "choices": choices})
            if context_s == longest_s:
                strips = strip_answers(table, answers, comparable)
                rows.append({**about, "asked": "whole strips (rest: what remains)", **strips.figures()})
    return rows
