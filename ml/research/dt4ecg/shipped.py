"""The shipped activity method on held-out people (A3), beside the dual-task networks.

Reads what `python -m ml.cli activity evaluate` and `activity compare` keep in `results/activity`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml.evaluation.activity.splits import ProtocolName
from ml.evaluation.pages.target_figures import percent, span
from ml.evaluation.pages.targets import AIM_MET, MISSED, MUST_MET
from ml.evaluation.report import ReportTable
from ml.research.dt4ecg.figures import WINDOW, Grid, TaskFigures
from ml.research.dt4ecg.plan import PROPOSED, UNSEEN, Cell
from ml.research.dt4ecg.tables import NOT_MEASURED, net_title

Json = Mapping[str, Any]

SHIPPED = Path("activity") / "a3.json"
COMPARED = Path("activity") / "comparison.json"
_SHORT_S, _LONG_S = 3.0, 30.0
_ALL, _COMPARABLE, _STRIPS = "all windows", "windows without the first 20 s of rest", "whole strips"


@dataclass(frozen=True)
class ShippedTarget:
    """One row of the table.

    Args:
        title: In words.
        asked: First words of a row's `asked`.
        context_s: Length of its windows; the longest for strips.
        own_rest: Whether a resting strip of the wearer was known.
        figure: `classes_3` or `classes_5`.
        must, aim: Limits of the accuracy, or of the ECE.
        published: By others, on their data.
        key: `accuracy` is to be large, `ece` small.
    """

    title: str
    asked: str
    context_s: float
    own_rest: bool
    figure: str
    must: float
    aim: float
    published: str = "–"
    key: str = "accuracy"

    def row(self, rows: Sequence[Json]) -> Json | None:
        """Return the result row that it refers to."""
        return next(
            (
                row
                for row in rows
                if row["asked"].startswith(self.asked)
                and row["own_rest"] == self.own_rest
                and abs(row["context_s"] - self.context_s) < 1e-9
            ),
            None,
        )

    def verdict(self, value: float) -> str:
        """Return the verdict on a share."""
        sign = -1.0 if self.key == "ece" else 1.0
        if sign * value >= sign * self.aim:
            return AIM_MET
        return MUST_MET if sign * value >= sign * self.must else MISSED


TARGETS = (
    ShippedTarget("3 classes, 3 s", _ALL, _SHORT_S, False, "classes_3", 0.72, 0.76, "82.86 % (5, Yun 2024)"),
    ShippedTarget("3 classes, 30 s", _ALL, _LONG_S, False, "classes_3", 0.78, 0.84),
    ShippedTarget("3 classes, 30 s, resting strip", _COMPARABLE, _LONG_S, True, "classes_3", 0.85, 0.90),
    ShippedTarget("5 classes, 30 s", _ALL, _LONG_S, False, "classes_5", 0.56, 0.62),
    ShippedTarget("5 classes, 30 s, resting strip", _COMPARABLE, _LONG_S, True, "classes_5", 0.65, 0.72),
    ShippedTarget("3 classes, whole strip", _STRIPS, _LONG_S, False, "classes_3", 0.82, 0.88),
    ShippedTarget("3 classes, whole strip, resting strip", _STRIPS, _LONG_S, True, "classes_3", 0.90, 0.95),
    ShippedTarget("ECE, 5 classes, 3 s", _ALL, _SHORT_S, False, "classes_5", 0.05, 0.02, key="ece"),
    ShippedTarget("ECE, 5 classes, 30 s", _ALL, _LONG_S, False, "classes_5", 0.05, 0.02, key="ece"),
    ShippedTarget(
        "ECE, 5 classes, 30 s, resting strip", _COMPARABLE, _LONG_S, True, "classes_5", 0.05, 0.02, key="ece"
    ),
    ShippedTarget("ECE, 5 classes, whole strip", _STRIPS, _LONG_S, False, "classes_5", 0.05, 0.02, key="ece"),
    ShippedTarget(
        "ECE, 5 classes, whole strip, resting strip",
        _STRIPS,
        _LONG_S,
        True,
        "classes_5",
        0.05,
        0.02,
        key="ece",
    ),
)


def read_rows(results: Path, file: Path) -> list[Json]:
    """Return the rows of a kept result; none without a file.

    Args:
        results: `results`.
        file: `SHIPPED` or `COMPARED`.
    """
    path = results / file
    if not path.is_file():
        return []
    rows: list[Json] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


def headline_table(grid: Grid, shipped: Sequence[Json]) -> ReportTable:
    """Return the three lines that matter most: the paper's network twice, and the method that ships."""
    title = f"{net_title(PROPOSED)}, 3 s"
    rows = [
        ("random windows (A1, leaky)", title, *_headline_cells(grid, "A1")),
        ("held-out people (A3)", title, *_headline_cells(grid, "A3")),
    ]
    target = ShippedTarget("", _ALL, _LONG_S, False, "classes_5", 0.0, 0.0)
    found = target.row(shipped)
    cells = (NOT_MEASURED,) * 2 if found is None else _kept_cells(found)[:2]
    rows.append(("held-out people (A3)", "the method that ships, 30 s", *cells))
    return ReportTable(
        "The three figures that matter: accuracy of activity",
        ("evaluated on", "method", "five activities", "three classes"),
        tuple(rows),
    )


def _headline_cells(grid: Grid, protocol: ProtocolName) -> tuple[str, ...]:
    cell = replace(PROPOSED, protocol=protocol)
    return tuple(_network_cell(grid.figures(cell, task)) for task in ("activity", "groups"))


def shipped_targets_table(rows: Sequence[Json]) -> ReportTable:
    """Return the targets of the shipped method with its results."""
    lines = []
    for target in TARGETS:
        sign = "≤" if target.key == "ece" else "≥"
        found = target.row(rows)
        reached = NOT_MEASURED if found is None else _reached(target, found[target.figure])
        limits = (f"{sign} {limit:.0%}" for limit in (target.must, target.aim))
        lines.append((target.title, target.published, *limits, reached))
    return ReportTable(
        "The method that ships, A3: held-out people; intervals are 95 % over ten people; true ones: the "
        "ECE of true probabilities with as many predictions",
        ("accuracy unless ECE", "published", "must", "aim", "reached"),
        tuple(lines),
    )


def _reached(target: ShippedTarget, figures: Json) -> str:
    value = float(figures[target.key])
    floor = f"; true ones: {percent(figures['ece_if_true'])}" if target.key == "ece" else ""
    return f"{percent(value)}{_interval(figures, target.key)}{floor}: **{target.verdict(value)}**"


def comparison_table(grid: Grid, shipped: Sequence[Json], compared: Sequence[Json]) -> ReportTable:
    """Compare end-to-end networks, the shipped method, and its alternatives, all under A3."""
    lines = [_network_line(grid, net, context) for net in UNSEEN for context in (WINDOW, "30 s", "strip")]
    lines += [
        (
            f"ships{', resting strip' if row['own_rest'] else ''}: {row['asked']}",
            "strip" if row["asked"].startswith(_STRIPS) else f"{row['context_s']:g} s",
            *_kept_cells(row),
        )
        for row in shipped
    ]
    lines += [
        (f"features {row['features']}: {row['classifier']}", f"{row['context_s']:g} s", *_kept_cells(row))
        for row in compared
    ]
    return ReportTable(
        "A3, without a resting strip unless stated: accuracy (95 % over people)",
        ("method", "context", "activity (5)", "3 classes", "ECE of 5"),
        tuple(lines),
    )


def _network_line(grid: Grid, net: Cell, context: str) -> tuple[str, ...]:
    cell = replace(net, protocol="A3")
    figures = (grid.figures(cell, task, context) for task in ("activity", "groups"))
    ece = grid.calibration_error(cell) if context == WINDOW else None
    return (
        f"{net_title(net)}, end to end",
        context,
        *(_network_cell(one) for one in figures),
        "–" if ece is None else percent(ece),
    )


def _network_cell(found: TaskFigures | None) -> str:
    if found is None:
        return NOT_MEASURED
    interval = found.interval()
    return f"{percent(found.accuracy)} ({span(interval.low, interval.high)})"


def _kept_cells(row: Json) -> tuple[str, ...]:
    accuracies = (
        f"{percent(row[name]['accuracy'])}{_interval(row[name], 'accuracy')}"
        for name in ("classes_5", "classes_3")
    )
    return (*accuracies, percent(row["classes_5"]["ece"]))


def _interval(figures: Json, key: str) -> str:
    interval = figures[f"{key}_interval"]
    return "" if interval is None else f" ({span(*interval)})"
