"""Progress over a grid of cells: a bar with the remaining time on a terminal, occasional lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ml.research.dt4ecg.plan import Cell

# Interval of lines in a log file, at least.
LINE_EVERY_S = 30.0


class GridProgress:
    """Tracks the share of the work done, and estimates the remaining time at the pace so far.

    Args:
        expected_s: Expected CPU seconds of each open cell.
        console: Where it is shown.
        clock: Monotonic seconds.
    """

    def __init__(
        self, expected_s: Mapping[Cell, float], console: Console, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._expected_s = expected_s
        self._console = console
        self._clock = clock
        self._began_s = self._line_s = clock()
        self._epochs: dict[Cell, int] = {}
        self._before_s = 0.0  # Expected seconds of epochs that an earlier call had done.
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[cell]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )
        total_s = sum(expected_s.values())
        self._task = self._bar.add_task(f"{len(expected_s)} cells", total=total_s, cell="", left="")

    def __enter__(self) -> GridProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, cell: Cell, epochs: int) -> None:
        """Record the number of finished epochs of a cell."""
        if cell not in self._epochs:
            self._before_s += self._expected_s[cell] * epochs / cell.epochs
        self._epochs[cell] = epochs
        at = f"{cell.id} {epochs}/{cell.epochs}"
        left = self._left_text()
        self._bar.update(self._task, completed=self.done_s, cell=at, left=left)
        now_s = self._clock()
        if not self._console.is_terminal and now_s - self._line_s >= LINE_EVERY_S:
            self._line_s = now_s
            share = self.done_s / sum(self._expected_s.values())
            self._console.print(f"{100 * share:3.0f} %  {at}  {left}", soft_wrap=True)  # A file has no width.

    @property
    def done_s(self) -> float:
        """Expected CPU seconds of finished work, earlier calls included."""
        return sum(self._expected_s[cell] * n / cell.epochs for cell, n in self._epochs.items())

    def left_s(self) -> float | None:
        """Estimate the remaining seconds; None before anything is done."""
        done_s = self.done_s - self._before_s
        if done_s <= 0.0:
            return None
        pace = (self._clock() - self._began_s) / done_s
        return (sum(self._expected_s.values()) - self.done_s) * pace

    def _left_text(self) -> str:
        left_s = self.left_s()
        return "" if left_s is None else f"{left_s / 60.0:.0f} min left"
