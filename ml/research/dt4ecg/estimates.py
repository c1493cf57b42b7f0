"""Estimated time of cells, from steps measured once (`results/dt4ecg/costs.json`). Torch-free."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ml.research.dt4ecg.plan import RECIPES, Cell

COSTS = Path("dt4ecg") / "costs.json"
"""Below `results`."""
TRAINING_WINDOWS: Mapping[str, int] = {"A1": 2138, "A2": 1948, "A2e": 2037, "A3": 2750}
"""Of the motion set, a mean over folds."""


@dataclass(frozen=True)
class NetCost:
    """Cost of a network, measured on one thread.

    Args:
        parameters: Weights, both heads included.
        macs: Multiplications with addition for one window.
        latency_ms: Median of one window.
        step_ms: Median CPU time of a training step of the paper's recipe.
    """

    parameters: int
    macs: int
    latency_ms: float
    step_ms: float


@dataclass(frozen=True)
class Costs:
    """Costs of all measured networks.

    Args:
        nets: By `backbone+attention`, and `+modules` if those are not the default.
        factors: How much longer a step of the proposed network takes, by the gradient that is weighed, by
            precision and by recipe; 1 if not named.
        measured: When, and on what.
    """

    nets: Mapping[str, NetCost] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    measured: str = ""

    def cell_s(self, cell: Cell) -> float:
        """Estimate the CPU seconds of a cell; unmeasured networks count as the mean."""
        steps = math.ceil(TRAINING_WINDOWS[cell.protocol] / RECIPES[cell.recipe].batch_size) * cell.epochs
        known = self.nets.get(net_name(cell))
        step_ms = known.step_ms if known else self._mean_step_ms()
        factor = math.prod(
            self.factors.get(name, 1.0) for name in (cell.gradient_of, cell.precision, cell.recipe)
        )
        return steps * step_ms / 1000.0 * factor

    def total_s(self, cells: Iterable[Cell]) -> float:
        """Add up the CPU seconds of some cells."""
        return sum(self.cell_s(cell) for cell in cells)

    def pace(self, taken_s: Mapping[Cell, float]) -> float:
        """Return the ratio of true to estimated time of trainings.

        Args:
            taken_s: CPU seconds of finished trainings; without any the ratio is 1.
        """
        expected_s = self.total_s(taken_s)
        return sum(taken_s.values()) / expected_s if expected_s > 0.0 else 1.0

    def _mean_step_ms(self) -> float:
        if not self.nets:
            return _UNMEASURED_STEP_MS
        return sum(net.step_ms for net in self.nets.values()) / len(self.nets)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


_UNMEASURED_STEP_MS = 50.0


def net_name(cell: Cell) -> str:
    """Return the name under which a network's cost is kept."""
    parts = (cell.backbone, cell.attention, *(() if cell.modules == "halving" else (cell.modules,)))
    return "+".join(parts)


def read_costs(results: Path) -> Costs:
    """Return the measured costs; empty without a file."""
    path = results / COSTS
    if not path.is_file():
        return Costs()
    kept = json.loads(path.read_text(encoding="utf-8"))
    nets = {name: NetCost(**values) for name, values in kept["nets"].items()}
    return Costs(nets, kept["factors"], kept["measured"])


def write_costs(results: Path, costs: Costs) -> Path:
    """Save the costs; an interrupted write leaves the former file."""
    path = results / COSTS
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(costs.to_dict(), indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
    return path
