"""A3 for the method that ships: heads on features of windows, asked about people that they never met.

Nested: whoever is asked is left out; shrinkage and calibration of the head that answers, and the correlation
between windows of a strip, are chosen by leaving out one after another of the nine others. How much the trunk
counts is one number for all heads, in whose choice everybody had a say. Windows that allow
no call (`mute`) count as wrong calls, and are left out of the calibration error, since no probability is told
of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.data.motion import ACTIVITIES
from ml.evaluation.activity.figures import call_figures, group_probabilities, probability_figures
from ml.evaluation.activity.windows import ACTIVITY_GROUPS, activity_group_indices
from ml.metrics.calibration_floor import ece_if_true
from ml.runtime.ecg.activity.head import softmax
from ml.runtime.ecg.activity.whole_strips import StripEvidence, strip_evidence
from ml.training.activity.examples import FeatureTable, MotionFeatures
from ml.training.activity.fitting import Examples, FittedHead, fit_head
from ml.training.activity.inputs import N_BY_HAND, head_inputs, input_views
from ml.training.activity.strip_fitting import fit_correlation

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
        """Return some of them."""
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
            "ece_if_true": ece_if_true(probabilities[told]),
        }


def discriminant(known: Examples, asked: FloatArray) -> tuple[FloatArray, dict[str, float]]:
    """Answer by the head that ships."""
    fitted = fit_head(known, len(ACTIVITIES))
    return fitted.head.logits(asked), asdict(fitted.choices)


def table_examples(
    table: FeatureTable,
    rest: FloatArray | None,
    features: FloatArray | None = None,
    elsewhere: FloatArray | None = None,
) -> Examples:
    """Return the windows of a table to a head.

    Args:
        table: Windows of one length.
        rest: Of each window's wearer, float64, shape (n, n_features); None for a head that does not know it.
            With it, windows that meet what was known beforehand are not asked.
        features: Others than the table's, float64, shape (n, n_by_hand + any).
        elsewhere: As many features of people elsewhere, float64. A sensor does not move what is a difference
            to rest: with it, only those made by hand teach.
    """
    described = table.features if features is None else features
    own_rest = rest is not None
    asked = ~(table.mute | table.in_own_rest) if own_rest else ~table.mute
    if own_rest and elsewhere is not None:
        elsewhere = elsewhere[:, :N_BY_HAND]
    views = input_views(described.shape[1], own_rest=own_rest)
    return Examples(head_inputs(described, rest), table.activity, table.person, asked, elsewhere, views)


def shipped_examples(features: MotionFeatures, context_s: float, *, own_rest: bool) -> Examples:
    """Return windows of one length to a head as the bundle's heads learn from them."""
    table = features.tables[context_s]
    rest = features.own_rest(table) if own_rest else None
    return table_examples(table, rest, elsewhere=features.elsewhere.get(context_s))


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


class Strips(NamedTuple):
    """Whole recordings; one entry each.

    Args:
        evidence: What their windows say together; None where none of them tells anything.
        truth, person: Indices, int64, shape (n,).
    """

    evidence: list[StripEvidence | None]
    truth: IntArray
    person: IntArray

    def answers(self, correlation: float) -> Answers:
        """Answer for each, with a correlation between windows."""
        told = [None if one is None else one.combined(correlation) for one in self.evidence]
        mute = np.array([one is None for one in told])
        logits = np.stack([np.zeros(len(ACTIVITIES)) if one is None else one for one in told])
        return Answers(logits, self.truth, self.person, mute)

    def correlation(self) -> float:
        """Fit the correlation between windows to all of them that tell something."""
        told = [one for one in self.evidence if one is not None]
        return fit_correlation(told, self.truth[[one is not None for one in self.evidence]])


def whole_strips(table: FeatureTable, context_s: float, logits: FloatArray, asked: BoolArray) -> Strips:
    """Put the windows of each recording together that are asked and tell something.

    Args:
        table: Windows of one length, in order of time within each recording.
        context_s: That length.
        logits: Of all of them, float64, shape (n, n_classes).
        asked: Which of them count, bool, shape (n,).
    """
    evidence, first = [], []
    for record in np.unique(table.record[asked]):
        telling = (table.record == record) & asked & ~table.mute
        some = telling.any()
        evidence.append(strip_evidence(logits[telling], table.start_s[telling], context_s) if some else None)
        first.append(int(np.flatnonzero(table.record == record)[0]))
    return Strips(evidence, table.activity[first], table.person[first])


def fitted_correlation(
    features: MotionFeatures, context_s: float, fitted: FittedHead, examples: Examples
) -> float:
    """Choose how windows of a strip are put together, on people left out.

    Args:
        features: Of the set.
        context_s: Length of the windows that a head was fitted to.
        fitted: The head.
        examples: All windows of that length; `asked` marks those that the head was fitted to, in order.
    """
    table = features.tables[context_s]
    logits = np.zeros((table.activity.size, len(ACTIVITIES)))
    logits[examples.asked] = fitted.left_out_logits
    return whole_strips(table, context_s, logits, examples.asked & ~table.in_own_rest).correlation()


def strips_of_people_left_out(
    features: MotionFeatures, context_s: float, *, own_rest: bool
) -> tuple[Answers, list[dict[str, float]]]:
    """Answer for whole strips of each person by a head and a correlation that never met that person.

    Returns:
        Answers, and the correlation without each person.
    """
    table = features.tables[context_s]
    examples = shipped_examples(features, context_s, own_rest=own_rest)
    answers, choices = [], []
    for person in np.unique(table.person):
        own = table.person == person
        known = replace(examples, asked=examples.asked & ~own)
        fitted = fit_head(known.where(known.asked), len(ACTIVITIES))
        correlation = fitted_correlation(features, context_s, fitted, known)
        logits = np.zeros((own.size, len(ACTIVITIES)))
        logits[own] = fitted.head.logits(examples.inputs[own])
        strips = whole_strips(table, context_s, logits, own & ~table.in_own_rest)
        answers.append(strips.answers(correlation))
        choices.append({"correlation": correlation})
    return joined(answers), choices


def joined(answers: Sequence[Answers]) -> Answers:
    """Put answers about several people together."""
    return Answers(
        np.concatenate([one.logits for one in answers]),
        np.concatenate([one.truth for one in answers]),
        np.concatenate([one.person for one in answers]),
        np.concatenate([one.mute for one in answers]),
    )


def a3_rows(features: MotionFeatures) -> list[dict[str, Any]]:
    """Measure A3: windows of every length and whole strips, with and without own rest."""
    rows = []
    longest_s = max(features.tables)
    for context_s, table in features.tables.items():
        comparable = ~table.in_own_rest
        for own_rest in (False, True):
            examples = shipped_examples(features, context_s, own_rest=own_rest)
            answers, choices = leave_one_person_out(table, examples)
            about = {"context_s": context_s, "own_rest": own_rest}
            if not own_rest:
                rows.append({**about, "asked": "all windows", **answers.figures(), "choices": choices})
            asked = "windows without the first 20 s of rest"
            rows.append({**about, "asked": asked, **answers.where(comparable).figures(), "choices": choices})
            if context_s == longest_s:
                strips, choices = strips_of_people_left_out(features, context_s, own_rest=own_rest)
                asked = "whole strips (rest: what remains)"
                rows.append({**about, "asked": asked, **strips.figures(), "choices": choices})
    return rows
