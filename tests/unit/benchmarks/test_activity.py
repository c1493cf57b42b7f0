from rich.progress import Progress

from benchmarks import activity
from benchmarks.activity import _of_an_hour, _piece_seconds, measure
from benchmarks.bench import Bench
from tests.fakes import FakeRecognizer

BENCH = Bench(quick=True, progress=Progress(disable=True))


class TestMeasure:
    def test_without_a_bundle_there_is_nothing_to_measure(self, monkeypatch) -> None:
        monkeypatch.setattr(activity, "recognizer", lambda: None)

        assert measure(BENCH) == []


class TestOfAnHour:
    def test_the_longest_piece_differs_from_the_whole(self) -> None:
        whole, longest, memory = _of_an_hour(BENCH, FakeRecognizer())

        assert "6 minutes at 500 Hz" in whole.what
        assert longest.value < 1e3 * whole.value
        assert len(whole.raw["each_ms"]) == 6
        assert memory.value > 0.0


class TestPieceSeconds:
    def test_has_an_entry_for_every_piece(self) -> None:
        def pieces():
            yield
            yield
            return ()

        assert len(_piece_seconds(pieces())) == 3
