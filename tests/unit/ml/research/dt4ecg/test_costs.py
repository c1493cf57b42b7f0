from ml.research.dt4ecg.costs import net_cost
from ml.research.dt4ecg.plan import Cell
from tests.unit.ml.research.dt4ecg.grids import activity_windows


class TestNetCost:
    def test_a_small_network_costs_little_but_something(self) -> None:
        found = net_cost(Cell(backbone="mlp", attention="none"), activity_windows(), steps=2)

        assert found.parameters > 0
        assert found.macs > 0
        assert found.latency_ms > 0.0
        assert found.step_ms > 0.0
