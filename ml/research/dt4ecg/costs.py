"""Measure the cost of the plan's networks: weights, multiplications, latency, time of a training step."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.progress import track

from ml.evaluation.activity.windows import ActivityWindows
from ml.research.dt4ecg.cells import labeled_windows, network_config, training_of
from ml.research.dt4ecg.estimates import Costs, NetCost, net_name
from ml.research.dt4ecg.network.cost import count_parameters, multiply_accumulates, one_thread_latency
from ml.research.dt4ecg.network.network import DualTaskNetwork
from ml.research.dt4ecg.plan import GRADIENTS_OF, PRECISIONS, PROPOSED, RECIPES, Cell, planned_cells
from ml.research.dt4ecg.run import computing_on_one_thread, motion_windows
from ml.research.dt4ecg.training import train

STEPS = 10
_CALLS = 60
"""Forward passes of one window."""
_EPOCHS = 3
"""Number of steps; the first warms up."""


def measure_costs(data: Path, console: Console) -> Costs:
    """Measure every network of the plan on this machine, one after the other, on one thread.

    Args:
        data: Holds `ecg/kalouskova_motion`.
        console: Where progress goes.

    Raises:
        DataError: The set is missing.
    """
    windows = motion_windows(data, PROPOSED.scaling)
    nets = {
        net_name(cell): Cell(backbone=cell.backbone, attention=cell.attention, modules=cell.modules)
        for cell in planned_cells()
    }
    found = {
        name: net_cost(cell, windows)
        for name, cell in track(nets.items(), "measuring networks", console=console)
    }
    usual_ms = found[net_name(PROPOSED)].step_ms
    otherwise = {
        **{name: replace(PROPOSED, gradient_of=name) for name in GRADIENTS_OF},
        **{name: replace(PROPOSED, precision=name) for name in PRECISIONS},
        **{name: replace(PROPOSED, recipe=name) for name in RECIPES},
    }
    factors = {
        name: round(step_ms(cell, windows) / usual_ms, 2)
        for name, cell in otherwise.items()
        if cell != PROPOSED
    }
    return Costs(found, factors, f"{datetime.now(UTC):%Y-%m-%d}, CPU time")


@computing_on_one_thread()
def net_cost(cell: Cell, windows: ActivityWindows, *, steps: int = STEPS) -> NetCost:
    """Measure the network of a cell."""
    config = network_config(cell, windows)
    network = DualTaskNetwork(config)
    # CPU time instead of wall time: other load on the machine counts less.
    latency = one_thread_latency(network, config.n_samples, n_calls=_CALLS, now_s=time.process_time)
    return NetCost(
        count_parameters(network),
        multiply_accumulates(network, config.n_samples),
        round(latency.median_ms, 3),
        round(step_ms(cell, windows, steps=steps), 2),
    )


@computing_on_one_thread()
def step_ms(cell: Cell, windows: ActivityWindows, *, steps: int = STEPS) -> float:
    """Measure the CPU milliseconds of a training step of a cell, balancing included."""
    rows = np.arange(steps * RECIPES[cell.recipe].batch_size, dtype=np.int64) % len(windows)
    training = training_of(replace(cell, epochs=_EPOCHS), windows, identity="")
    with TemporaryDirectory() as folder:
        trained = train(
            training,
            labeled_windows(windows, rows),
            Path(folder),
            report=lambda _epochs: None,
            stop=lambda: False,
        )
    assert trained is not None
    return 1000.0 * min(float(epoch["cpu_s"]) for epoch in trained.epochs[1:]) / steps
