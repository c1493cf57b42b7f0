from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.evaluation.activity.splits import ProtocolName, splits
from ml.research.dt4ecg.cells import (
    joined_windows,
    labeled_windows,
    network_config,
    next_windows,
    run_cell,
)
from ml.research.dt4ecg.network.network import DualTaskNetwork
from ml.research.dt4ecg.plan import PROPOSED, Cell, planned_cells
from ml.research.dt4ecg.results import CellResult
from ml.research.dt4ecg.training import crops
from tests.unit.ml.research.dt4ecg.grids import PEOPLE, activity_windows, small


def run(cell: Cell, folder: Path) -> CellResult:
    found = run_cell(cell, activity_windows(), folder, report=lambda _: None, stop=lambda: False)
    assert found is not None
    return found


class TestRunCell:
    def test_every_test_window_is_called_and_what_is_easy_is_learned(self, tmp_path: Path) -> None:
        found = run(small(epochs=4), tmp_path)

        calls = found.calls["3 s"]
        n_test = 900 - found.n_train
        assert calls.activity.shape == calls.activity_called.shape == (n_test,)
        assert np.mean(calls.activity == calls.activity_called) > 0.8
        assert calls.person_called is not None
        assert np.mean(calls.person == calls.person_called) > 0.8
        assert set(found.calibration) == {"identity", "activity"}

    def test_held_out_people_are_evaluated_for_activity_alone(self, tmp_path: Path) -> None:
        found = run(small(protocol="A3", fold=1), tmp_path)

        assert set(found.calls["3 s"].person) == {1}
        assert found.calls["3 s"].person_called is None
        assert set(found.calibration) == {"activity"}

    def test_unseen_people_are_evaluated_with_more_context_too(self, tmp_path: Path) -> None:
        found = run(small(protocol="A3"), tmp_path)

        assert {name: calls.activity.size for name, calls in found.calls.items()} == {
            "3 s": 300,
            "30 s": 30,
            "strip": 15,
        }

    def test_three_classes_are_trained_as_such(self, tmp_path: Path) -> None:
        found = run(small(n_activities=3), tmp_path)

        assert found.activities == ("rest", "light", "vigorous")
        assert np.array_equal(found.calls["3 s"].activity_called, found.calls["3 s"].group_called)

    def test_a_loss_that_is_no_number_is_a_result(self, tmp_path: Path) -> None:
        windows = activity_windows()
        windows.windows[:] = np.nan

        found = run_cell(small(), windows, tmp_path, report=lambda _: None, stop=lambda: False)

        assert found is not None
        assert found.failed is not None
        assert "losses" in found.failed

    def test_stopped_it_gives_nothing(self, tmp_path: Path) -> None:
        assert (
            run_cell(small(), activity_windows(), tmp_path, report=lambda _: None, stop=lambda: True) is None
        )


class TestLabeledWindows:
    @pytest.mark.parametrize("protocol", ["A1", "A2", "A2e", "A3"])
    def test_crops_hold_no_sample_of_a_tested_window(self, protocol: ProtocolName) -> None:
        windows = activity_windows()
        split = splits(protocol, windows, 1)[0]
        windows.windows[split.test] = np.nan

        data = labeled_windows(windows, split.train)

        generator = torch.Generator().manual_seed(1)
        rows = torch.arange(len(data.windows)).repeat(20)
        assert bool(crops(data, rows, generator).isfinite().all())
        assert bool((data.following >= 0).any())


class TestNextWindows:
    def test_each_is_the_one_that_begins_where_another_ends(self) -> None:
        record = np.array([0, 1, 0, 0, 1])
        start_s = np.array([0.1, 3.1, 6.1 + 1e-9, 3.1, 9.0])

        assert next_windows(record, start_s, 3.0).tolist() == [3, -1, -1, 2, -1]


class TestNetworkConfig:
    def test_every_cell_of_the_plan_has_a_network(self) -> None:
        windows = activity_windows(n_samples=300)

        configs = [network_config(cell, windows) for cell in planned_cells()]

        assert {config.n_people for config in configs} == {len(PEOPLE)}
        assert {config.n_samples for config in configs} == {300}

    def test_options_reach_the_part_they_are_of(self) -> None:
        config = network_config(PROPOSED, activity_windows())

        assert config.backbone_options == {"addition": "before_relu"}
        assert config.attention_options == {"channel_convolutions": "bottleneck"}

    def test_full_length_modules_keep_every_step(self) -> None:
        config = network_config(replace(PROPOSED, modules="full_length"), activity_windows(n_samples=300))

        network = DualTaskNetwork(config)

        assert (network.trunk.width, network.trunk.n_steps(300)) == (64, 300)
        assert network.attention.n_steps == 300


class TestJoinedWindows:
    def test_neighbors_of_one_recording_in_order_of_time(self) -> None:
        record = np.array([1, 0, 1, 0, 1, 0, 0])
        start_s = np.array([6.0, 0.0, 0.0, 9.0, 3.0, 3.0, 6.0])

        blocks = joined_windows(record, start_s, 2)

        assert [block.tolist() for block in blocks] == [[1, 5], [6, 3], [2, 4]]

    @pytest.mark.parametrize(("n_windows", "sizes"), [(14, [10, 4]), (13, [10]), (3, [])])
    def test_what_is_left_makes_a_call_if_it_is_long_enough(self, n_windows: int, sizes: list[int]) -> None:
        blocks = joined_windows(np.zeros(n_windows, dtype=np.int64), 3.0 * np.arange(n_windows), 10)

        assert [block.size for block in blocks] == sizes

    def test_single_windows_are_all_evaluated(self) -> None:
        assert len(joined_windows(np.zeros(3, dtype=np.int64), np.arange(3.0), 1)) == 3
