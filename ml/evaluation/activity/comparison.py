"""Comparison of the shipped activity method with other features and other kinds of classifier.

All under A3, nested, as in `ml.evaluation.activity.protocols`. Needs scikit-learn; the service does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.motion import ACTIVITIES, ELECTRODES
from ml.evaluation.activity.protocols import (
    Answerer,
    Answers,
    discriminant,
    leave_one_person_out,
    table_examples,
)
from ml.metrics.confidence import negative_log_likelihood
from ml.runtime.ecg.activity.features import N_REST
from ml.runtime.ecg.activity.head import Standardization, contaminated
from ml.runtime.ecg.activity.rhythm import RHYTHM_NAMES
from ml.training.activity.examples import FeatureTable, MotionFeatures
from ml.training.activity.fitting import Examples, fit_calibration
from ml.training.activity.inputs import N_BY_HAND

FloatArray = NDArray[np.float64]
N_CLASSES = len(ACTIVITIES)
# Neighboring windows of 30 s overlap so much that every other one is enough, in half the time.
LEARNED_EVERY = 2
# Settings are chosen by leaving out a third of the training people at a time: one by one would take hours.
INNER_FOLDS = 3
BY_HAND = "by hand"
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Contender:
    """A kind of classifier.

    Args:
        name: For the table.
        make: Settings tried → a fresh scikit-learn classifier.
        settings: Candidates, chosen by cross-validation over the training people; a single one is fixed.
    """

    name: str
    make: Callable[[Any], Any]
    settings: tuple[Any, ...]


@dataclass(frozen=True)
class RestKind:
    """A choice of features to compare with the wearer's rest.

    Args:
        name: For the table.
        n_by_hand: Number of hand-crafted features compared, from the first.
        trunk: Whether the trunk is read and compared.
    """

    name: str
    n_by_hand: int
    trunk: bool = False


REST_KINDS = (
    RestKind("rhythm", len(RHYTHM_NAMES)),
    RestKind("rhythm and beats", N_REST),
    RestKind("rhythm, beats and trunk", N_REST, trunk=True),
)


def contenders() -> tuple[Contender, ...]:
    """Return the classifiers compared with the discriminant."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    return (
        Contender(
            "logistic regression, penalty chosen",
            lambda c: LogisticRegression(C=c, max_iter=200, tol=1e-3),
            (0.003, 0.03),
        ),
        Contender(
            "gradient boosting, fixed",
            lambda n: HistGradientBoostingClassifier(
                max_iter=n,
                learning_rate=0.08,
                max_leaf_nodes=8,
                min_samples_leaf=30,
                l2_regularization=5.0,
                max_features=0.3,
                random_state=0,
            ),
            (80,),
        ),
        Contender(
            "perceptron with 16 hidden units, fixed",
            lambda n: MLPClassifier((n,), alpha=1.0, max_iter=60, early_stopping=False, random_state=0),
            (16,),
        ),
    )


def answerer(contender: Contender) -> Answerer:
    """Wrap a classifier like the discriminant; its setting is chosen by cross-validation over people."""

    def answer(known: Examples, held_out: FloatArray) -> tuple[FloatArray, dict[str, float]]:
        left_out = {setting: _left_out(contender, setting, known) for setting in contender.settings}
        fitted = {s: fit_calibration(scores, known.classes) for s, scores in left_out.items()}
        losses = {
            s: negative_log_likelihood(contaminated(left_out[s], share, temperature), known.classes)
            for s, (temperature, share) in fitted.items()
        }
        best = min(contender.settings, key=lambda s: losses[s])
        temperature, share = fitted[best]
        logits = contaminated(_fit_and_predict(contender, best, known, held_out), share, temperature)
        return logits, {"setting": float(best), "temperature": temperature, "contamination": share}

    return answer


def _left_out(contender: Contender, setting: Any, known: Examples) -> FloatArray:
    logits = np.zeros((known.classes.size, N_CLASSES))
    for people in np.array_split(np.unique(known.people), INNER_FOLDS):
        own = np.isin(known.people, people)
        logits[own] = _fit_and_predict(contender, setting, known.where(~own), known.inputs[own])
    return logits


def _fit_and_predict(contender: Contender, setting: Any, known: Examples, held_out: FloatArray) -> FloatArray:
    learned = known.where(np.arange(known.classes.size) % LEARNED_EVERY == 0)
    standardization = Standardization.of(learned.inputs)
    classifier = contender.make(setting)
    with warnings.catch_warnings():
        # A fixed number of iterations is part of this perceptron; scikit-learn warns that it could go on.
        warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
        classifier.fit(standardization.apply(learned.inputs), learned.classes)
    probabilities = classifier.predict_proba(standardization.apply(held_out))
    return np.asarray(np.log(np.maximum(probabilities, TINY)))


def kinds_of_features(table: FeatureTable, other_sensor: FloatArray | None) -> dict[str, Examples]:
    """Return the windows with subsets of the shipped features; the first kind is the shipped one."""
    fused = table_examples(table, None, other_sensor=other_sensor)

    def only(columns: slice) -> Examples:
        known = None if other_sensor is None else other_sensor[:, columns]
        return replace(fused, inputs=fused.inputs[:, columns], other_sensor=known, views=())

    return {
        "by hand and of the trunk, fused": fused,
        "by hand and of the trunk, in one covariance": only(slice(None)),
        BY_HAND: only(slice(N_BY_HAND)),
        "of the trunk": only(slice(N_BY_HAND, None)),
    }


def comparison_rows(
    table: FeatureTable,
    context_s: float,
    kinds: Mapping[str, Examples],
    classifiers: Sequence[Contender] = (),
) -> list[dict[str, Any]]:
    """Compare kinds of features with the discriminant, and classifiers on the hand-crafted features.

    Args:
        table: Windows of one length.
        context_s: That length.
        kinds: The same windows with each kind of features, by name.
        classifiers: Those to compare with the discriminant.
    """
    entries: list[tuple[str, str, Answerer]] = [
        (name, "linear discriminant, shrinkage chosen", discriminant) for name in kinds
    ]
    entries += [(BY_HAND, one.name, answerer(one)) for one in classifiers]
    rows = []
    for name, classifier, answer in entries:
        answers, choices = leave_one_person_out(table, kinds[name], answer)
        rows.append(
            {
                "context_s": context_s,
                "features": name,
                "n_features": kinds[name].inputs.shape[1],
                "classifier": classifier,
                **answers.figures(),
                "choices": choices,
            }
        )
    return rows


def rest_rows(features: MotionFeatures, context_s: float) -> list[dict[str, Any]]:
    """Compare kinds of resting baseline, also with rest recorded with another electrode.

    Heads are fitted with rest from the window's own electrode, or from each of the three. They are evaluated
    with rest from the own electrode and from another one, worn minutes before or after. Data of the other
    sensor are not used.
    """
    table = features.tables[context_s]
    rows = []
    for kind in REST_KINDS:
        for learned in ((0,), (0, 1, 2)):
            for turn, electrode in enumerate(("same", "another")):
                logits = _logits_with_rest(features, table, kind, (learned, turn))
                answers = Answers(logits, table.activity, table.person, table.mute)
                rows.append(
                    {
                        "context_s": context_s,
                        "rest": kind.name,
                        "learned_with": "same electrode" if learned == (0,) else "all three electrodes",
                        "asked_with": f"{electrode} electrode",
                        **answers.where(~table.in_own_rest).figures(),
                    }
                )
    return rows


def _logits_with_rest(
    features: MotionFeatures, table: FeatureTable, kind: RestKind, turns: tuple[tuple[int, ...], int]
) -> FloatArray:
    """Logits of held-out people; `turns` are offsets from the own electrode, to fit and to evaluate."""
    fitted, evaluated = turns
    described = table.features if kind.trunk else table.features[:, :N_BY_HAND]
    # Features that are not compared with rest are no inputs, nor are their differences.
    compared = np.arange(described.shape[1])
    hidden = (compared >= kind.n_by_hand) & (compared < N_BY_HAND)
    rest = np.where(hidden, np.nan, features.rest[..., : described.shape[1]])

    def examples(turn: int) -> Examples:
        electrode = (table.electrode + turn) % len(ELECTRODES)
        found = table_examples(table, rest[table.person, electrode], described)
        # The baseline overlaps windows of its own electrode only; with another one, all windows are used.
        return found if turn == 0 else replace(found, evaluated=~table.mute)

    known = [examples(turn) for turn in fitted]
    together = Examples(
        np.concatenate([one.inputs for one in known]),
        np.concatenate([one.classes for one in known]),
        np.concatenate([one.people for one in known]),
        np.concatenate([one.evaluated for one in known]),
        views=known[0].views,
    )
    inputs = examples(evaluated).inputs
    logits = np.zeros((table.activity.size, N_CLASSES))
    for person in np.unique(table.person):
        own = table.person == person
        others = together.where(together.evaluated & (together.people != person))
        logits[own], _ = discriminant(others, inputs[own])
    return logits
