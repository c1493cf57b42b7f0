"""Targets of the paper's own network, set in advance, and the results."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ml.evaluation.pages.target_figures import span
from ml.evaluation.pages.targets import AIM_MET, MISSED, MUST_MET
from ml.evaluation.report import ReportTable
from ml.research.dt4ecg.figures import Grid, Task
from ml.research.dt4ecg.plan import OURS, PROPOSED, Cell


@dataclass(frozen=True)
class GridTarget:
    """One row of the table.

    Args:
        protocol, task: What is evaluated.
        title: In words.
        published: The paper's figure on its own data.
        must, aim: Shares; None if the figure is only printed.
    """

    protocol: str
    task: Task
    title: str
    published: str
    must: float | None = None
    aim: float | None = None

    def verdict(self, value: float) -> str:
        """Return the verdict on a share."""
        if self.must is None or self.aim is None:
            return "printed"
        if value >= self.aim:
            return AIM_MET
        return MUST_MET if value >= self.must else MISSED


TARGETS = (
    GridTarget("A1", "identity", "identity, 10 people (leaky)", "99.12 % (15 people)", 0.995, 0.998),
    GridTarget("A1", "activity", "activity, 5 classes (leaky)", "90.11 % (3 classes)", 0.96, 0.98),
    GridTarget("A2", "identity", "identity, 10 people", "–", 0.97, 0.99),
    GridTarget("A2", "activity", "activity, 5 classes", "–", 0.93, 0.95),
    GridTarget("A2e", "activity", "activity, 5 classes, third electrode", "–"),
)


def targets_table(grid: Grid) -> ReportTable:
    """Return every target with the result of ResNet + SCA with the first seed, by either recipe."""
    rows = []
    for target in TARGETS:
        limits = ("–" if limit is None else f"≥ {limit:.1%}" for limit in (target.must, target.aim))
        reached = (_reached(grid, cell, target) for cell in (PROPOSED, OURS))
        rows.append((target.protocol, target.title, target.published, *limits, *reached))
    return ReportTable(
        "1D-ResNet + SCA, first seed, last epoch; intervals are 95 % over ten people",
        ("protocol", "accuracy of", "published", "must", "aim", "the paper's recipe", "our recipe"),
        tuple(rows),
    )


def _reached(grid: Grid, cell: Cell, target: GridTarget) -> str:
    found = grid.figures(replace(cell, protocol=target.protocol), target.task)
    if found is None:
        return "not measured"
    interval = found.interval()
    verdict = target.verdict(found.accuracy)
    return f"{found.accuracy:.2%} ({span(interval.low, interval.high)}): **{verdict}**"
