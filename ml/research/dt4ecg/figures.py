"""Figures of kept cells, from the predictions for each test window: pooled over folds, spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.activity.figures import confusion_matrix, weighted_scores
from ml.evaluation.activity.windows import ACTIVITY_GROUPS, activity_group_indices
from ml.metrics.intervals import Interval, share_bootstrap, subject_bootstrap
from ml.research.dt4ecg.plan import Cell, folds, seeds
from ml.research.dt4ecg.results import CellResult, pooled

IntArray = NDArray[np.int64]
Task = Literal["identity", "activity", "groups"]

WINDOW = "3 s"
"""The context of a single window."""


@dataclass(frozen=True, eq=False)
class TaskFigures:
    """Figures of one task on some windows; intervals, which take time, are computed on demand.

    Args:
        classes: Names.
        accuracy, precision, recall, f1: Shares; the latter three weighted by class.
        confusion: Windows by true and predicted class, int64, shape (C, C).
        hits: Which predictions were right, bool, shape (N,).
        people: Person of each window, from 0 and without gaps, int64, shape (N,).
    """

    classes: tuple[str, ...]
    accuracy: float
    precision: float
    recall: float
    f1: float
    confusion: IntArray
    hits: NDArray[np.bool_]
    people: IntArray

    @classmethod
    def of(cls, called: IntArray, truth: IntArray, people: IntArray, classes: tuple[str, ...]) -> TaskFigures:
        """Measure predictions, all int64, shape (N,)."""
        hits = called == truth
        confusion = confusion_matrix(called, truth, len(classes))
        person = np.unique(people, return_inverse=True)[1]
        return cls(classes, float(hits.mean()), *weighted_scores(confusion), confusion, hits, person)

    def interval(self) -> Interval:
        """Return the 95 % interval of the accuracy over people."""
        return share_bootstrap(self.hits, self.people)


def gain(pairs: Sequence[tuple[TaskFigures, TaskFigures]]) -> tuple[float, Interval]:
    """Return how much more accurate the first of each pair is than the second, as a mean over pairs.

    Args:
        pairs: Figures of the same windows, in the same order.

    Returns:
        A difference of shares, and its 95 % interval over resampled people.

    Raises:
        ValueError: Figures of different windows.
    """
    people = pairs[0][0].people
    if not all(np.array_equal(one.people, people) for pair in pairs for one in pair):
        raise ValueError("figures of different windows cannot be compared")
    more = np.mean([first.hits.astype(float) - second.hits for first, second in pairs], axis=0)

    def mean(weights: NDArray[np.float64]) -> float:
        return float(np.average(more, weights=weights[people]))

    return float(more.mean()), subject_bootstrap(mean, int(people.max()) + 1)


@dataclass(frozen=True)
class Spread:
    """An accuracy over seeds."""

    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True, eq=False)
class Grid:
    """All kept results, by cell."""

    results: Mapping[Cell, CellResult]

    def trained(self, cell: Cell) -> CellResult | None:
        """Return the result of a completed training."""
        found = self.results.get(cell)
        return None if found is None or found.failed else found

    def figures(self, cell: Cell, task: Task, context: str = WINDOW) -> TaskFigures | None:
        """Return the figures of all folds of a cell's protocol; None if one is missing or not evaluated.

        Args:
            cell: Any fold of it.
            task: `groups` are rest, light and vigorous.
            context: Key of `CellResult.calls`.
        """
        found = self._all_folds(cell)
        if found is None or not all(context in one.calls for one in found):
            return None
        return figures_of(found, task, context)

    def spread(self, cell: Cell, task: Task) -> Spread | None:
        """Return the accuracy over the measured seeds; None without any."""
        found = [self.figures(again, task) for again in seeds(cell)]
        values = [one.accuracy for one in found if one is not None]
        if not values:
            return None
        return Spread(float(np.mean(values)), min(values), max(values), len(values))

    def folds_done(self, cell: Cell) -> int:
        """Count the trained folds of a cell's protocol."""
        return sum(self.trained(fold) is not None for fold in folds(cell))

    def calibration_error(self, cell: Cell) -> float | None:
        """Return the ECE of activity over single windows, as a mean over folds; None if one is missing."""
        found = self._all_folds(cell)
        return (
            None if found is None else float(np.mean([one.calibration["activity"]["ece"] for one in found]))
        )

    def _all_folds(self, cell: Cell) -> list[CellResult] | None:
        found = [self.trained(fold) for fold in folds(cell)]
        there = [one for one in found if one is not None]
        return there if len(there) == len(found) else None


def figures_of(results: Sequence[CellResult], task: Task, context: str = WINDOW) -> TaskFigures | None:
    """Measure the predictions of some folds of one protocol; None if identity was not predicted."""
    calls, one = pooled([result.calls[context] for result in results]), results[0]
    if task == "identity":
        if calls.person_called is None:
            return None
        return TaskFigures.of(calls.person_called, calls.person, calls.person, one.people)
    if task == "activity":
        return TaskFigures.of(calls.activity_called, calls.activity, calls.person, one.activities)
    three = len(one.activities) == len(ACTIVITY_GROUPS)
    truth = calls.activity if three else activity_group_indices(one.activities)[calls.activity]
    return TaskFigures.of(calls.group_called, truth, calls.person, tuple(ACTIVITY_GROUPS))
