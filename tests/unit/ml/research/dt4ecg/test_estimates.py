from dataclasses import replace
from pathlib import Path

import pytest

from ml.research.dt4ecg.estimates import Costs, NetCost, read_costs, write_costs
from ml.research.dt4ecg.plan import PLAIN, PROPOSED

COSTS = Costs(
    {"resnet+sca": NetCost(1000, 2000, 1.5, 20.0), "resnet+none": NetCost(900, 1900, 1.0, 10.0)},
    {"all": 2.0, "float32": 1.5},
    "2026-11-20",
)


class TestCosts:
    def test_seconds_are_steps_times_epochs(self) -> None:
        # A1: 2138 windows are 134 batches of 16.
        assert COSTS.cell_s(PROPOSED) == pytest.approx(134 * 50 * 0.020)
        assert COSTS.cell_s(replace(PROPOSED, epochs=20)) == pytest.approx(134 * 20 * 0.020)

    def test_gradients_of_more_weights_take_longer(self) -> None:
        assert COSTS.cell_s(replace(PROPOSED, gradient_of="all")) == pytest.approx(2 * COSTS.cell_s(PROPOSED))

    def test_exact_products_take_longer(self) -> None:
        exact_s = COSTS.cell_s(replace(PROPOSED, precision="float32"))

        assert exact_s == pytest.approx(1.5 * COSTS.cell_s(PROPOSED))

    def test_an_unmeasured_network_counts_as_the_mean(self) -> None:
        assert COSTS.cell_s(replace(PROPOSED, attention="se")) == pytest.approx(134 * 50 * 0.015)

    def test_a_total_adds_up(self) -> None:
        assert COSTS.total_s([PROPOSED, PLAIN]) == pytest.approx(COSTS.cell_s(PROPOSED) * 1.5)

    def test_what_is_done_tells_the_pace_of_the_rest(self) -> None:
        taken_s = {PROPOSED: 50.0, PLAIN: 50.5}  # Estimated 134 and 67.

        assert COSTS.pace(taken_s) == pytest.approx(0.5)
        assert COSTS.pace({}) == 1.0

    def test_with_nothing_measured_there_is_still_an_estimate(self) -> None:
        assert Costs().cell_s(PROPOSED) > 0.0


class TestReadCosts:
    def test_what_was_written_comes_back(self, tmp_path: Path) -> None:
        write_costs(tmp_path, COSTS)

        assert read_costs(tmp_path) == COSTS

    def test_nothing_where_nothing_was_measured(self, tmp_path: Path) -> None:
        assert read_costs(tmp_path) == Costs()
