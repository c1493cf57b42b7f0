"""What the paper claims, as differences between trainings that were asked about the same windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ml.evaluation.pages.target_figures import points
from ml.evaluation.report import ReportTable
from ml.metrics.intervals import Interval
from ml.research.dt4ecg import published
from ml.research.dt4ecg.figures import Grid, Task, TaskFigures, gain
from ml.research.dt4ecg.plan import ATTENTIONS, BACKBONES, SEEDS, Cell, seeds
from ml.research.dt4ecg.tables import NOT_MEASURED, attention_title, net_title

_TASKS: tuple[Task, ...] = ("identity", "activity")
_PROTOCOLS = ("A1", "A2")
_NONE, _PROPOSED = "none", "sca"
_COLUMNS = (
    "identity, paper",
    "activity, paper",
    *(f"{task}, {protocol}" for protocol in _PROTOCOLS for task in _TASKS),
)


def sca_table(grid: Grid) -> ReportTable:
    """What SCA adds to each backbone, in points of accuracy."""
    rows = [
        (net_title(Cell(backbone=backbone, attention=_NONE)), *_gains(grid, _PROPOSED, [backbone]))
        for backbone in BACKBONES
    ]
    return ReportTable(
        "What SCA adds to a network without attention, points of accuracy (95 % over ten people); one seed",
        ("network", *_COLUMNS),
        tuple(rows),
    )


def attentions_table(grid: Grid) -> ReportTable:
    """What each attention adds, a mean over backbones."""
    rows = [
        (attention_title(Cell(attention=attention)), *_gains(grid, attention, BACKBONES))
        for attention in ATTENTIONS
        if attention != _NONE
    ]
    return ReportTable(
        f"What each attention adds, mean over the {len(BACKBONES)} backbones, points of accuracy (95 % over "
        "ten people); one seed",
        ("attention", *_COLUMNS),
        tuple(rows),
    )


def answer(grid: Grid) -> str:
    """Say in words what SCA added, and what added most; empty until table III is whole."""
    sentences = []
    for protocol in _PROTOCOLS:
        added = {
            attention: [_added(grid, attention, BACKBONES, protocol, task) for task in _TASKS]
            for attention in ATTENTIONS
            if attention != _NONE
        }
        if any(one is None for gains in added.values() for one in gains):
            return ""
        means = {name: [one[0] for one in gains if one is not None] for name, gains in added.items()}
        most = max(means, key=lambda name: means[name][1])
        identity, activity = (points(mean) for mean in means[_PROPOSED])
        title = attention_title(Cell(attention=most))
        best = "no other adds more" if most == _PROPOSED else f"{title} adds more, {points(means[most][1])}"
        sentences.append(
            f"Under {protocol} SCA adds {activity} points of activity and {identity} of identity to these "
            f"{len(BACKBONES)} backbones; to activity {best}."
        )
    printed = [points(_printed(_PROPOSED, BACKBONES, k)) for k in range(len(_TASKS))]
    return " ".join([*sentences, f"The paper has {printed[1]} and {printed[0]} for SCA.\n"])


def over_seeds(grid: Grid) -> str:
    """Say in words what SCA adds to ResNet with each seed; empty until all of them are there."""
    sentences = []
    for protocol in _PROTOCOLS:
        told = []
        for task in reversed(_TASKS):
            gains = [_added_to(cell, grid, task) for cell in seeds(Cell(protocol=protocol))]
            if any(one is None for one in gains):
                return ""
            found = [one[0] for one in gains if one is not None]
            told.append(f"{points(float(np.mean(found)))} of {task} ({', '.join(map(points, found))})")
        sentences.append(f"under {protocol} {' and '.join(told)}")
    return (
        f"Over {len(SEEDS)} seeds SCA adds to ResNet, in points, mean and each: {'; '.join(sentences)}. "
        "A gain that changes its sign with the seed is not a gain.\n"
    )


def _added_to(cell: Cell, grid: Grid, task: Task) -> tuple[float, Interval] | None:
    with_it, without = (
        grid.figures(replace(cell, backbone="resnet", attention=attention), task)
        for attention in (_PROPOSED, _NONE)
    )
    return None if with_it is None or without is None else gain([(with_it, without)])


def _gains(grid: Grid, attention: str, backbones: Sequence[str]) -> tuple[str, ...]:
    printed = (points(_printed(attention, backbones, k)) for k in range(len(_TASKS)))
    ours = (_gain(grid, attention, backbones, p, task) for p in _PROTOCOLS for task in _TASKS)
    return (*printed, *ours)


def _printed(attention: str, backbones: Sequence[str], task: int) -> float:
    rows = ((published.TABLE_3[b, attention][task], published.TABLE_3[b, _NONE][task]) for b in backbones)
    return float(np.mean([with_it - without for with_it, without in rows])) / 100.0


def _gain(grid: Grid, attention: str, backbones: Sequence[str], protocol: str, task: Task) -> str:
    found = _added(grid, attention, backbones, protocol, task)
    if found is None:
        return NOT_MEASURED
    mean, interval = found
    return f"{points(mean)} ({points(interval.low)} to {points(interval.high)})"


def _added(
    grid: Grid, attention: str, backbones: Sequence[str], protocol: str, task: Task
) -> tuple[float, Interval] | None:
    pairs: list[tuple[TaskFigures, TaskFigures]] = []
    for backbone in backbones:
        cell = Cell(backbone=backbone, attention=attention, protocol=protocol)
        with_it, without = (grid.figures(one, task) for one in (cell, replace(cell, attention=_NONE)))
        if with_it is None or without is None:
            return None
        pairs.append((with_it, without))
    return gain(pairs)
