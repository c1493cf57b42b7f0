"""Figures of a classifier over people: accuracy, weighted precision, recall and F1, confusion, calibration.

For identity and activity alike. Folds of one protocol are joined first, so that every window counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.activity.windows import ACTIVITY_GROUPS, activity_group_indices
from ml.metrics.confidence import expected_calibration_error, negative_log_likelihood
from ml.metrics.intervals import Interval, share_bootstrap, subject_bootstrap

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Floor of a probability in the log-likelihood: the smallest normal float32.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).tiny)
# A bootstrap over one or two people gives no interval.
FEWEST_PEOPLE_FOR_INTERVAL = 3


class WeightedScores(NamedTuple):
    """Means over classes, each weighted by its frequency."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class CallFigures:
    """Predictions against truth; intervals are over people, None with fewer than three of them.

    Args:
        n_calls, n_people: Counts.
        classes: Names.
        accuracy, accuracy_interval: Share of right predictions.
        precision, recall: Weighted by class; weighted recall equals accuracy.
        f1, f1_interval: Weighted by class.
        confusion: Counts by true class (rows) and predicted class (columns).
    """

    n_calls: int
    n_people: int
    classes: tuple[str, ...]
    accuracy: float
    accuracy_interval: Interval | None
    precision: float
    recall: float
    f1: float
    f1_interval: Interval | None
    confusion: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "calls": self.n_calls,
            "people": self.n_people,
            "classes": list(self.classes),
            "accuracy": self.accuracy,
            "accuracy_interval": _listed(self.accuracy_interval),
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "f1_interval": _listed(self.f1_interval),
            "confusion": [list(row) for row in self.confusion],
        }


@dataclass(frozen=True)
class ProbabilityFigures:
    """Calibration of probabilities.

    Args:
        ece, ece_interval: Expected calibration error of the predicted class, in bins of equal width; interval
            over people, None with fewer than three of them.
        nll: Mean negative log-likelihood, nats.
    """

    ece: float
    ece_interval: Interval | None
    nll: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"ece": self.ece, "ece_interval": _listed(self.ece_interval), "nll": self.nll}


def _listed(interval: Interval | None) -> list[float] | None:
    return interval.to_list() if interval else None


def call_figures(called: IntArray, truth: IntArray, people: IntArray, classes: Sequence[str]) -> CallFigures:
    """Measure the predictions on a set of windows.

    Args:
        called: Predicted class of each window, int64, shape (N,).
        truth: Its true class, same shape.
        people: Its person, same shape; the bootstrap resamples people.
        classes: Names.

    Raises:
        ValueError: No windows, shapes that differ, or unknown classes.
    """
    n_classes = len(classes)
    if not truth.size or not called.shape == truth.shape == people.shape:
        raise ValueError(
            f"expected as many calls, truths and people, got {called.shape}, {truth.shape}, {people.shape}"
        )
    if min(called.min(), truth.min()) < 0 or max(called.max(), truth.max()) >= n_classes:
        raise ValueError(f"expected classes 0 … {n_classes - 1}, got others")
    person = np.unique(people, return_inverse=True)[1]
    n_people = int(person.max()) + 1
    by_person = np.stack(
        [confusion_matrix(called[person == i], truth[person == i], n_classes) for i in range(n_people)]
    )  # (people, C, C)
    confusion = by_person.sum(axis=0)
    scores, hits = weighted_scores(confusion), called == truth
    enough = n_people >= FEWEST_PEOPLE_FOR_INTERVAL

    def redrawn_f1(weights: FloatArray) -> float:
        return weighted_scores(np.tensordot(weights, by_person, 1)).f1

    return CallFigures(
        n_calls=truth.size,
        n_people=n_people,
        classes=tuple(classes),
        accuracy=float(hits.mean()),
        accuracy_interval=share_bootstrap(hits, person) if enough else None,
        precision=scores.precision,
        recall=scores.recall,
        f1=scores.f1,
        f1_interval=subject_bootstrap(redrawn_f1, n_people) if enough else None,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def confusion_matrix(called: IntArray, truth: IntArray, n_classes: int) -> IntArray:
    """Count windows by true class (rows) and predicted class (columns), int64, shape (C, C)."""
    cells = np.bincount(truth * n_classes + called, minlength=n_classes**2)
    return np.asarray(cells.reshape(n_classes, n_classes), dtype=np.int64)


def weighted_scores(confusion: NDArray[Any]) -> WeightedScores:
    """Return precision, recall and F1 averaged over classes, each weighted by its true windows.

    A class that is never predicted has precision 0, as with scikit-learn's `average="weighted"`.

    Args:
        confusion: By true class (rows) and class called (columns), not all 0, shape (C, C).
    """
    right = np.diag(confusion).astype(np.float64)
    true, called = confusion.sum(axis=1), confusion.sum(axis=0)
    shares = true / true.sum()
    precision, recall, f1 = _ratio(right, called), _ratio(right, true), _ratio(2.0 * right, true + called)
    return WeightedScores(float(shares @ precision), float(shares @ recall), float(shares @ f1))


def _ratio(over: NDArray[Any], under: NDArray[Any]) -> FloatArray:
    return np.asarray(np.divide(over, under, out=np.zeros(len(over)), where=under > 0))


def probability_figures(probabilities: NDArray[Any], truth: IntArray, people: IntArray) -> ProbabilityFigures:
    """Measure the predicted probabilities of a set of windows.

    Args:
        probabilities: Rows sum to 1, float, shape (N, C).
        truth: Class of each window, int64, shape (N,).
        people: Its person, same shape; the bootstrap resamples people.

    Raises:
        ValueError: No windows, shapes that differ, or rows that are not probabilities.

    Source:
        See `ml.metrics.confidence`.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    n = len(truth)
    if n == 0 or p.ndim != 2 or len(p) != n or people.shape != (n,):
        raise ValueError(f"expected N ≥ 1 rows, truths and people, got {p.shape}, {n}, {people.shape}")
    if not (np.all(p >= 0.0) and np.allclose(p.sum(axis=1), 1.0, atol=1e-3)):
        raise ValueError("expected rows of probabilities that sum to 1")
    log_p = np.log(np.maximum(p, SMALLEST_PROBABILITY))
    person = np.unique(people, return_inverse=True)[1]
    n_people = int(person.max()) + 1

    def redrawn_ece(weights: FloatArray) -> float:
        rows = np.repeat(np.arange(n), weights.astype(np.int64)[person])
        return expected_calibration_error(log_p[rows], truth[rows], equal_mass=False)

    return ProbabilityFigures(
        ece=expected_calibration_error(log_p, truth, equal_mass=False),
        ece_interval=(
            subject_bootstrap(redrawn_ece, n_people) if n_people >= FEWEST_PEOPLE_FOR_INTERVAL else None
        ),
        nll=negative_log_likelihood(log_p, truth),
    )


def group_probabilities(probabilities: NDArray[Any], activities: Sequence[str]) -> FloatArray:
    """Add up the probabilities of activities within each of `ACTIVITY_GROUPS`.

    Args:
        probabilities: Of the activities, float, shape (N, n_activities).
        activities: Names of the columns.

    Returns:
        float64, shape (N, n_groups).

    Raises:
        ValueError: An activity without a group.
    """
    member = np.zeros((len(activities), len(ACTIVITY_GROUPS)))
    member[np.arange(len(activities)), activity_group_indices(activities)] = 1.0
    return np.asarray(probabilities, dtype=np.float64) @ member
