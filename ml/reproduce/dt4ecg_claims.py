"""What the paper claims, as differences between trainings that were asked about the same windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ml.evaluation.report import ReportTable
from ml.evaluation.target_figures import points
from ml.reproduce import dt4ecg_published as published
from ml.reproduce.dt4ecg_figures import Grid, Task, TaskFigures, gain
from ml.reproduce.dt4ecg_plan import ATTENTIONS, BACKBONES, Cell
from ml.reproduce.dt4ecg_tables import NOT_MEASURED, attention_title, net_title

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


def _gains(grid: Grid, attention: str, backbones: Sequence[str]) -> tuple[str, ...]:
    printed = [
        float(
            np.mean([published.TABLE_3[b, attention][k] - published.TABLE_3[b, _NONE][k] for b in backbones])
        )
        for k in range(len(_TASKS))
    ]
    ours = (_gain(grid, attention, backbones, p, task) for p in _PROTOCOLS for task in _TASKS)
    return (*(f"{value:+.2f}" for value in printed), *ours)


def _gain(grid: Grid, attention: str, backbones: Sequence[str], protocol: str, task: Task) -> str:
    pairs: list[tuple[TaskFigures, TaskFigures]] = []
    for backbone in backbones:
        cell = Cell(backbone=backbone, attention=attention, protocol=protocol)
        with_it, without = (grid.figures(one, task) for one in (cell, replace(cell, attention=_NONE)))
        if with_it is None or without is None:
            return NOT_MEASURED
        pairs.append((with_it, without))
    found, interval = gain(pairs)
    return f"{points(found)} ({points(interval.low)} to {points(interval.high)})"
