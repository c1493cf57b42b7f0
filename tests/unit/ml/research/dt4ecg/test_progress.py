from io import StringIO

import pytest
from rich.console import Console

from ml.research.dt4ecg.plan import Cell
from ml.research.dt4ecg.progress import GridProgress

LONG, SHORT = Cell(epochs=50), Cell(epochs=20)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> StringIO:
    return StringIO()


@pytest.fixture
def progress(clock: Clock, log: StringIO) -> GridProgress:
    return GridProgress({LONG: 100.0, SHORT: 40.0}, Console(file=log), clock)


class TestGridProgress:
    def test_the_rest_takes_as_long_as_the_pace_so_far_says(
        self, progress: GridProgress, clock: Clock
    ) -> None:
        progress.report(LONG, 0)
        clock.now_s += 40.0
        progress.report(LONG, 10)

        # 20 of 140 expected seconds took 40.
        assert progress.left_s() == pytest.approx(240.0)

    def test_what_an_earlier_call_did_is_no_pace(self, progress: GridProgress, clock: Clock) -> None:
        progress.report(LONG, 40)
        assert progress.left_s() is None
        clock.now_s += 20.0
        progress.report(LONG, 45)

        assert progress.left_s() == pytest.approx((140.0 - 90.0) * 2.0)

    def test_a_log_gets_a_line_now_and_then(
        self, progress: GridProgress, clock: Clock, log: StringIO
    ) -> None:
        progress.report(LONG, 0)
        for epochs in range(1, 11):
            clock.now_s += 10.0
            progress.report(LONG, epochs)

        lines = log.getvalue().splitlines()
        assert len(lines) == 3
        assert lines[0].startswith("  4 %")
        assert lines[0].endswith("11 min left")
        assert f"{LONG.id} 3/50" in lines[0]

    def test_in_the_end_nothing_is_left(self, progress: GridProgress, clock: Clock) -> None:
        progress.report(LONG, 0)
        progress.report(SHORT, 0)
        clock.now_s += 70.0
        progress.report(LONG, 50)
        progress.report(SHORT, 20)

        assert progress.left_s() == pytest.approx(0.0)
