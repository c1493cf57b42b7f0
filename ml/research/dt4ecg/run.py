"""Run the cells of a plan: kept results are not repeated, interrupted trainings are resumed."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.queues import Queue
from pathlib import Path

import torch

from ml.evaluation.activity.preprocessing import ActivityPreprocessing
from ml.evaluation.activity.windows import ActivityWindows, read_activity_windows
from ml.research.dt4ecg.cells import run_cell
from ml.research.dt4ecg.plan import Cell
from ml.research.dt4ecg.results import CellResult, keep_results, read_all

ReadWindows = Callable[[Path, str], ActivityWindows]
# A cell, and how many of its epochs are done.
Report = Callable[[Cell, int], None]

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Places:
    """Paths of a run.

    Args:
        data: Holds `ecg/kalouskova_motion`.
        results: `results`.
        var: For checkpoints, which are deleted when their cell is done.
    """

    data: Path
    results: Path
    var: Path

    def checkpoint(self, cell: Cell) -> Path:
        """Return the folder of a cell's checkpoint."""
        return self.var / "train" / "dt4ecg" / cell.id


@lru_cache(maxsize=2)
def motion_windows(data: Path, scaling: str) -> ActivityWindows:
    """Read the motion set, preprocessed as in section II-B, once per process.

    Raises:
        DataError: The set is missing.
    """
    return read_activity_windows(data, ActivityPreprocessing(scaling=scaling))  # type: ignore[arg-type]


def open_cells(cells: Sequence[Cell], results: Path) -> list[Cell]:
    """Return the cells without a kept result."""
    kept = read_all(results, cells)
    return [cell for cell in cells if cell not in kept]


def run(
    cells: Sequence[Cell],
    places: Places,
    report: Report,
    *,
    jobs: int = 1,
    limit_s: float | None = None,
    windows: ReadWindows = motion_windows,
) -> Iterator[CellResult]:
    """Run the open ones of some cells, in order, and save each result at once.

    Args:
        cells: Of the plan.
        places: Paths.
        report: Called after each epoch of each cell.
        jobs: Processes of one thread each; 1 computes in this one.
        limit_s: Seconds after which no epoch is started; the current state is kept for the next call.
        windows: Reads the windows of a folder under a scaling; importable by name if `jobs` is above 1.

    Yields:
        Each result once it is saved.

    Raises:
        DataError: The motion set is missing.
    """
    deadline_s = None if limit_s is None else time.time() + limit_s
    todo = open_cells(cells, places.results)
    work = _Work(places, deadline_s, windows)
    if jobs > 1:
        yield from _run_in_processes(todo, work, report, jobs)
        return
    with computing_on_one_thread():
        for cell in todo:
            if (result := work.do(cell, report)) is not None:
                yield result


@contextmanager
def computing_on_one_thread() -> Iterator[None]:
    """Compute on one thread, with denormal numbers as zero: they would cost a hundredfold.

    Both hold for the whole process, so they end with the block.
    """
    n_threads = torch.get_num_threads()
    _compute_on_one_thread()
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(n_threads)


def _compute_on_one_thread() -> None:
    torch.set_num_threads(1)
    # Weights of Algorithm 1 as printed fall towards zero, and the gradients with them.
    torch.set_flush_denormal(True)


@dataclass(frozen=True)
class _Work:
    places: Places
    deadline_s: float | None
    windows: ReadWindows

    def do(self, cell: Cell, report: Report) -> CellResult | None:
        if self._is_late():
            return None
        folder = self.places.checkpoint(cell)
        result = run_cell(
            cell,
            self.windows(self.places.data, cell.scaling),
            folder,
            report=lambda epochs: report(cell, epochs),
            stop=self._is_late,
        )
        if result is not None:
            keep_results(self.places.results, result)
            shutil.rmtree(folder, ignore_errors=True)
        return result

    def _is_late(self) -> bool:
        return self.deadline_s is not None and time.time() > self.deadline_s


def _run_in_processes(todo: Sequence[Cell], work: _Work, report: Report, jobs: int) -> Iterator[CellResult]:
    # Threads of torch do not survive a fork.
    context = multiprocessing.get_context("spawn")
    reports: Queue[tuple[Cell, int]] = context.Queue()
    with ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(reports,)) as pool:
        pending: set[Future[CellResult | None]] = {pool.submit(_do, work, cell) for cell in todo}
        try:
            while pending:
                done, pending = wait(pending, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
                while not reports.empty():
                    report(*reports.get())
                yield from (result for future in done if (result := future.result()) is not None)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Or all other cells would be trained first.
            raise


_reports: Queue[tuple[Cell, int]] | None = None
"""In a worker process: the queue for its reports."""


def _begin(reports: Queue[tuple[Cell, int]]) -> None:
    global _reports  # noqa: PLW0603 – a queue reaches a worker only when it is started.
    _reports = reports
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _compute_on_one_thread()


def _end_with_parent() -> None:
    """End with the parent: a killed parent cannot stop its workers, which the next call would duplicate."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(work: _Work, cell: Cell) -> CellResult | None:
    reports = _reports
    assert reports is not None
    return work.do(cell, lambda at, epochs: reports.put((at, epochs)))
