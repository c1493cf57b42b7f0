"""Protocol A3 for the shipped method: heads are evaluated on people that they were not fitted to.

The evaluation is nested. One person is held out; shrinkage, calibration and the correlation between windows
of a strip are chosen by leaving one person out among the other nine. The weight of the trunk is one number
for all heads; all ten people took part in its choice. Unreadable windows (`mute`) count as errors. They have
no probability, so the calibration error leaves them out.
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
# Examples of the training people, inputs of held-out windows → their logits, and the choices made.
Answerer = Callable[[Examples, FloatArray], tuple[FloatArray, dict[str, float]]]

UNKNOWN = "unknown"
GROUPS = tuple(ACTIVITY_GROUPS)


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions for a set of windows or strips; all arrays have one entry each.

    Attributes:
        logits: Of `ACTIVITIES`, float64, shape (n, n_classes).
        truth: Index into `ACTIVITIES`, int64, shape (n,).
        person: Index of the person, same shape.
        mute: Which are unreadable, bool, shape (n,).
    """

    logits: FloatArray = field(repr=False)
    truth: IntArray = field(repr=False)
    person: IntArray = field(repr=False)
    mute: BoolArray = field(repr=False)

    def where(self, chosen: BoolArray) -> Answers:
        """Return a subset."""
        return Answers(self.logits[chosen], self.truth[chosen], self.person[chosen], self.mute[chosen])

    def figures(self) -> dict[str, Any]:
        """Measure them for the five classes, and for three groups whose probabilities are sums."""
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
        readable = ~self.mute
        return {
            **call_figures(called, truth, self.person, (*classes, UNKNOWN)).to_dict(),
            **probability_figures(probabilities[readable], truth[readable], self.person[readable]).to_dict(),
            "ece_if_true": ece_if_true(probabilities[readable]),
        }


def discriminant(known: Examples, held_out: FloatArray) -> tuple[FloatArray, dict[str, float]]:
    """Fit the shipped discriminant and predict held-out windows."""
    fitted = fit_head(known, len(ACTIVITIES))
    return fitted.head.logits(held_out), asdict(fitted.choices)


def table_examples(
    table: FeatureTable,
    rest: FloatArray | None,
    features: FloatArray | None = None,
    other_sensor: FloatArray | None = None,
) -> Examples:
    """Build the inputs of a head from the windows of a table.

    Args:
        table: Windows of one length.
        rest: Resting baseline of each window's wearer, float64, shape (n, n_features); None for a head
            without it. With it, windows that overlap the baseline are not evaluated.
        features: Replace the table's, float64, shape (n, n_by_hand + any).
        other_sensor: The same features of other people at rest with another sensor, float64. Differences to
            rest do not depend on the sensor: with a baseline, only the hand-crafted features are used.
    """
    described = table.features if features is None else features
    own_rest = rest is not None
    evaluated = ~(table.mute | table.in_own_rest) if own_rest else ~table.mute
    if own_rest and other_sensor is not None:
        other_sensor = other_sensor[:, :N_BY_HAND]
    views = input_views(described.shape[1], own_rest=own_rest)
    return Examples(
        head_inputs(described, rest), table.activity, table.person, evaluated, other_sensor, views
    )


def shipped_examples(features: MotionFeatures, context_s: float, *, own_rest: bool) -> Examples:
    """Build the inputs of windows of one length as for the bundle's heads."""
    table = features.tables[context_s]
    rest = features.own_rest(table) if own_rest else None
    return table_examples(table, rest, other_sensor=features.other_sensor.get(context_s))


def leave_one_person_out(
    table: FeatureTable, examples: Examples, answerer: Answerer = discriminant
) -> tuple[Answers, list[dict[str, float]]]:
    """Fit on all other people, predict the held-out person's windows; for each person in turn.

    Returns:
        Predictions for all windows of the table, and the choices for each person, in their order.
    """
    logits = np.zeros((table.activity.size, len(ACTIVITIES)))
    choices = []
    for person in np.unique(table.person):
        own = table.person == person
        known = examples.where(~own & examples.evaluated)
        logits[own], choice = answerer(known, examples.inputs[own])
        choices.append(choice)
    return Answers(logits, table.activity, table.person, table.mute), choices


class Strips(NamedTuple):
    """Whole recordings; one entry each.

    Args:
        evidence: Of their windows together; None where all windows are unreadable.
        truth, person: Indices, int64, shape (n,).
    """

    evidence: list[StripEvidence | None]
    truth: IntArray
    person: IntArray

    def answers(self, correlation: float) -> Answers:
        """Predict each strip, given the correlation between windows."""
        logits = np.stack(
            [np.zeros(len(ACTIVITIES)) if one is None else one.combined(correlation) for one in self.evidence]
        )
        mute = np.array([one is None for one in self.evidence])
        return Answers(logits, self.truth, self.person, mute)

    def correlation(self) -> float:
        """Fit the correlation between windows to all readable strips."""
        readable = [one for one in self.evidence if one is not None]
        return fit_correlation(readable, self.truth[[one is not None for one in self.evidence]])


def whole_strips(table: FeatureTable, context_s: float, logits: FloatArray, evaluated: BoolArray) -> Strips:
    """Combine the readable, evaluated windows of each recording.

    Args:
        table: Windows of one length, in order of time within each recording.
        context_s: That length.
        logits: Of all windows, float64, shape (n, n_classes).
        evaluated: Which windows count, bool, shape (n,).
    """
    evidence, first = [], []
    for record in np.unique(table.record[evaluated]):
        readable = (table.record == record) & evaluated & ~table.mute
        some = readable.any()
        evidence.append(
            strip_evidence(logits[readable], table.start_s[readable], context_s) if some else None
        )
        first.append(int(np.flatnonzero(table.record == record)[0]))
    return Strips(evidence, table.activity[first], table.person[first])


def fitted_correlation(
    features: MotionFeatures, context_s: float, fitted: FittedHead, examples: Examples
) -> float:
    """Fit the correlation between windows of a strip, on held-out predictions.

    Args:
        features: Of the set.
        context_s: Length of the windows that the head was fitted to.
        fitted: The head.
        examples: All windows of that length; `evaluated` marks those that the head was fitted to, in order.
    """
    table = features.tables[context_s]
    logits = np.zeros((table.activity.size, len(ACTIVITIES)))
    logits[examples.evaluated] = fitted.left_out_logits
    return whole_strips(table, context_s, logits, examples.evaluated & ~table.in_own_rest).correlation()


def strips_of_people_left_out(
    features: MotionFeatures, context_s: float, *, own_rest: bool
) -> tuple[Answers, list[dict[str, float]]]:
    """Predict whole strips of each person by a head and a correlation fitted to the others.

    Returns:
        Predictions, and the correlation fitted without each person.
    """
    table = features.tables[context_s]
    examples = shipped_examples(features, context_s, own_rest=own_rest)
    answers, choices = [], []
    for person in np.unique(table.person):
        own = table.person == person
        known = replace(examples, evaluated=examples.evaluated & ~own)
        fitted = fit_head(known.where(known.evaluated), len(ACTIVITIES))
        correlation = fitted_correlation(features, context_s, fitted, known)
        logits = np.zeros((own.size, len(ACTIVITIES)))
        logits[own] = fitted.head.logits(examples.inputs[own])
        strips = whole_strips(table, context_s, logits, own & ~table.in_own_rest)
        answers.append(strips.answers(correlation))
        choices.append({"correlation": correlation})
    return joined(answers), choices


def joined(answers: Sequence[Answers]) -> Answers:
    """Concatenate predictions for several people."""
    return Answers(
        np.concatenate([one.logits for one in answers]),
        np.concatenate([one.truth for one in answers]),
        np.concatenate([one.person for one in answers]),
        np.concatenate([one.mute for one in answers]),
    )


def a3_rows(features: MotionFeatures) -> list[dict[str, Any]]:
    """Measure A3: windows of every length and whole strips, with and without a resting baseline."""
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
            what = "windows without the first 20 s of rest"
            rows.append({**about, "asked": what, **answers.where(comparable).figures(), "choices": choices})
            if context_s == longest_s:
                strips, choices = strips_of_people_left_out(features, context_s, own_rest=own_rest)
                what = "whole strips (rest: what remains)"
                rows.append({**about, "asked": what, **strips.figures(), "choices": choices})
    return rows
