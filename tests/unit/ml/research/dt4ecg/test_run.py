import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation.activity.windows import ActivityWindows
from ml.research.dt4ecg.plan import Cell
from ml.research.dt4ecg.results import CELLS as KEPT_CELLS
from ml.research.dt4ecg.results import read_all
from ml.research.dt4ecg.run import Places, open_cells, run
from ml.research.dt4ecg.training import CHECKPOINT_FILE
from tests.unit.ml.research.dt4ecg.grids import activity_windows, keep, small

CELLS = (small(seed=1), small(seed=2))


def windows(_data: Path, _scaling: str) -> ActivityWindows:
    return activity_windows()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "results", tmp_path / "var")


def half_of_the_least() -> float:
    """Of the normal numbers: one that is not normal, or nothing where those are flushed."""
    return float(np.float64(np.finfo(np.float64).tiny) * np.float64(0.5))


class TestRun:
    def test_results_are_kept_in_order_and_nothing_else_stays(self, places: Places) -> None:
        reported: list[tuple[Cell, int]] = []

        added = list(run(CELLS, places, lambda *what: reported.append(what), windows=windows))

        assert [result.cell for result in added] == list(CELLS)
        assert list(read_all(places.results, CELLS)) == list(CELLS)
        assert reported == [(cell, epochs) for cell in CELLS for epochs in (0, 1, 2)]
        assert not list(places.var.rglob("*.pt"))

    def test_what_is_kept_is_not_done_again(self, places: Places) -> None:
        keep(places.results, CELLS[0])
        before = (places.results / KEPT_CELLS).read_text()

        added = list(run(CELLS, places, lambda *_: None, windows=windows))

        assert [result.cell for result in added] == [CELLS[1]]
        assert (places.results / KEPT_CELLS).read_text().startswith(before)

    def test_interrupted_it_goes_on_after_the_last_epoch(self, places: Places) -> None:
        def interrupt(_cell: Cell, epochs: int) -> None:
            if epochs == 1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(run(CELLS[:1], places, interrupt, windows=windows))
        reported: list[int] = []
        list(run(CELLS[:1], places, lambda _, epochs: reported.append(epochs), windows=windows))

        assert reported == [1, 2]

    def test_afterwards_the_process_computes_as_before(self, places: Places) -> None:
        inside: list[float] = []

        list(run(CELLS[:1], places, lambda *_: inside.append(half_of_the_least()), windows=windows))

        assert set(inside) == {0.0}
        assert half_of_the_least() > 0.0

    def test_when_time_is_over_nothing_is_begun(self, places: Places) -> None:
        assert list(run(CELLS, places, lambda *_: None, limit_s=-1.0, windows=windows)) == []
        assert not list(places.var.rglob("*.pt"))

    @pytest.mark.slow
    def test_processes_do_and_report_all(self, places: Places) -> None:
        reported: list[tuple[Cell, int]] = []

        added = list(run(CELLS, places, lambda *what: reported.append(what), jobs=2, windows=windows))

        assert {result.cell for result in added} == set(CELLS)
        assert {(cell, 2) for cell in CELLS} <= set(reported)

    @pytest.mark.slow
    def test_an_error_in_a_process_ends_it(self, places: Places) -> None:
        with pytest.raises(FileNotFoundError):
            list(run(CELLS, places, lambda *_: None, jobs=2, windows=no_windows))

    @pytest.mark.slow
    def test_killed_it_leaves_no_process_and_goes_on_where_it_was(self, places: Places) -> None:
        cells = [replace(cell, epochs=100_000) for cell in CELLS]
        context = multiprocessing.get_context("spawn")
        main = context.Process(target=run_in_processes, args=(cells, places))
        main.start()
        wait_until(lambda: all(is_begun(places, cell) for cell in cells))
        workers = children_of(main.pid)

        os.kill(main.pid, signal.SIGKILL)

        wait_until(lambda: not any(is_running(pid) for pid in workers))
        reported: list[int] = []
        stopped = run(cells[:1], places, lambda _, n: reported.append(n), limit_s=1.0, windows=windows)
        assert len(workers) >= 2
        assert list(stopped) == []
        assert reported[0] > 0


def run_in_processes(cells: list[Cell], places: Places) -> None:
    list(run(cells, places, lambda *_: None, jobs=2, windows=windows))


def is_begun(places: Places, cell: Cell) -> bool:
    return (places.checkpoint(cell) / CHECKPOINT_FILE).is_file()


def children_of(pid: int | None) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(what: Callable[[], bool], limit_s: float = 600.0) -> None:
    end_s = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def no_windows(data: Path, _scaling: str) -> ActivityWindows:
    raise FileNotFoundError(data)


class TestOpenCells:
    def test_those_without_a_result(self, places: Places) -> None:
        keep(places.results, CELLS[1])

        assert open_cells(CELLS, places.results) == [CELLS[0]]
