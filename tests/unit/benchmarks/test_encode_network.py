import pytest
from rich.progress import Progress

from benchmarks.bench import Bench
from benchmarks.encode_network import CANDIDATES, _in_turn, _line
from benchmarks.measuring import Timings

SIZE = {"kib": 102.4, "parameters": 650_000, "million_macs": 12.5}


class TestLine:
    def test_reports_the_ratio_to_what_was_timed_beside_it(self) -> None:
        line = _line("network", Timings((0.003,)), Timings((0.002,)), SIZE)

        assert "1.50 × ecg-beat; 102 KiB, 0.65 M parameters, 12.5 M MACs" in line.what
        assert line.raw["ratio_to_ecg_beat"] == 1.5
        assert line.kept is None

    @pytest.mark.parametrize(("seconds", "kept"), [(0.0079, True), (0.0081, False)])
    def test_a_shipped_bundle_has_a_budget(self, seconds: float, kept: bool) -> None:
        assert _line("ecg", Timings((seconds,)), Timings((0.002,)), SIZE, 8.0).kept is kept


class TestInTurn:
    def test_every_round_times_everything(self) -> None:
        made: list[str] = []
        calls = {name: [lambda name=name: made.append(name)] for name in "ab"}

        timings = _in_turn(Bench(quick=True, progress=Progress(disable=True)), calls)

        assert "".join(made) == "ab" + "ab" * len(timings["a"].seconds)


class TestCandidates:
    @pytest.mark.parametrize(("name", "most_million"), [("ResNet 48–160", 0.7), ("ResNet 32–96", 0.3)])
    def test_slim_ones_keep_to_their_weights(self, name: str, most_million: float) -> None:
        pytest.importorskip("torch")
        from ml.models.networks import make_network

        architecture, parameters = CANDIDATES[name]
        network = make_network(architecture, parameters)

        assert sum(p.numel() for p in network.parameters()) <= most_million * 1e6

    @pytest.mark.parametrize("name", CANDIDATES)
    def test_each_names_a_network_that_exists(self, name: str) -> None:
        pytest.importorskip("torch")
        from ml.models.networks import make_network

        architecture, parameters = CANDIDATES[name]

        assert make_network(architecture, parameters).embedding_size == 128
