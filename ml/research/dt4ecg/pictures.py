"""Pictures of the DT4ECG page: training curves of figures 6 and 7, balancing, confusion matrices.

Each function returns one SVG, or None if there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ml.evaluation.pages.svg import Series, line_chart, linear_axis, log_axis, matrix_chart
from ml.research.dt4ecg.figures import TaskFigures
from ml.research.dt4ecg.results import CellResult

Json = Mapping[str, Any]
Named = Sequence[tuple[str, CellResult]]
"""Trainings with their names for the legend."""

TASKS = ("identity", "activity")
# The lower weights of Algorithm 1 as printed are cut off; the rest of the fall looks the same.
_LOWEST_WEIGHT = 1e-60


def accuracy_picture(title: str, trainings: Named, tasks: Sequence[str] = TASKS) -> str | None:
    """Draw training accuracy by epoch, one line per training and task."""
    series = [
        Series(
            f"{name}: {task}" if len(tasks) > 1 else name, _by_epoch(result, "accuracy", TASKS.index(task))
        )
        for name, result in trainings
        for task in tasks
    ]
    if not series:
        return None
    lowest = min(value for one in series for _, value in one.points)
    return line_chart(
        title,
        _epochs(trainings),
        linear_axis("accuracy on training windows", min(0.9, lowest), 1.0, percent=True),
        series,
        "As the windows were trained on, before each step; the test windows are asked once, at the end.",
    )


def weights_picture(title: str, trainings: Named) -> str | None:
    """Draw each task's weight at each step of the first epoch."""
    series = [
        Series(
            f"{name}: {task}",
            tuple((step + 1.0, weights[k]) for step, weights in enumerate(result.first_weights)),
        )
        for name, result in trainings
        if result.first_weights
        for k, task in enumerate(TASKS)
    ]
    if not series:
        return None
    values = [value for one in series for _, value in one.points]
    low = max(_LOWEST_WEIGHT, min(values) / 2.0)
    return line_chart(
        title,
        linear_axis("step of the first epoch", 0.0, max(at for one in series for at, _ in one.points)),
        log_axis("weight of the task's loss", low, max(values) * 2.0, _powers(low, max(values) * 2.0)),
        series,
        "On the bottom line: zero." if min(values) == 0.0 else "",
    )


def share_picture(title: str, trainings: Named) -> str | None:
    """Draw the share of the weight that activity has, by epoch."""
    series = [Series(name, points) for name, result in trainings if (points := _shares(result))]
    if not series:
        return None
    return line_chart(
        title, _epochs(trainings), linear_axis("weight of activity ÷ both", 0.0, 1.0, percent=True), series
    )


def gradient_picture(title: str, trainings: Named) -> str | None:
    """Draw the norm of each task's gradient, unweighted, by epoch."""
    series = [
        Series(f"{name}: {task}", points)
        for name, result in trainings
        for k, task in enumerate(TASKS)
        if (points := _by_epoch(result, "gradient_norms", k))
    ]
    values = [value for one in series for _, value in one.points if value > 0.0]
    if not values:
        return None
    low, high = min(values) / 1.5, max(values) * 1.5
    return line_chart(
        title, _epochs(trainings), log_axis("norm of the gradient", low, high, _powers(low, high)), series
    )


def confusion_picture(title: str, found: TaskFigures) -> str:
    """Draw the confusion matrix."""
    names = [name.replace("_", " ") for name in found.classes]
    note = f"{len(found.hits)} test windows; shaded by the share of the row."
    return matrix_chart(title, names, found.confusion.tolist(), rows="true", columns="called", note=note)


def _epochs(trainings: Named) -> Any:
    return linear_axis("epoch", 0.0, max(len(result.epochs) for _, result in trainings))


def _by_epoch(result: CellResult, key: str, task: int) -> tuple[tuple[float, float], ...]:
    return tuple((float(e["epoch"]), e[key][task]) for e in result.epochs if e.get(key) is not None)


def _shares(result: CellResult) -> tuple[tuple[float, float], ...]:
    return tuple(
        (float(epoch["epoch"]), epoch["weights"][1] / sum(epoch["weights"]))
        for epoch in result.epochs
        if sum(epoch["weights"]) > 0.0
    )


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten between two values, at most a dozen."""
    exponents = [k for k in range(-60, 7) if low <= 10.0**k <= high]
    step = 1 + len(exponents) // 12
    return [10.0**k for k in exponents if k % step == 0]
