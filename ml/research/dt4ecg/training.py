"""One training of the DT4ECG paper: batches of 16, Adam at 0.001, or another recipe; the last epoch counts.

It can be resumed after each epoch, to the bit. The test windows are not used before the end, so that they
choose nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ml.research.dt4ecg.adam import FlatAdam
from ml.research.dt4ecg.balancing import make_balancer
from ml.research.dt4ecg.balancing.balancer import TaskBalancer
from ml.research.dt4ecg.gradients import BalancedGradients
from ml.research.dt4ecg.losses import LOSSES
from ml.research.dt4ecg.network.network import DualTaskConfig, DualTaskNetwork
from ml.research.dt4ecg.plan import Recipe

TASKS = ("identity", "activity")
CHECKPOINT_FILE = "checkpoint.pt"
_EVALUATED_AT_ONCE = 256
_LEAST = 0.04
"""As a share of the highest rate: the start of a rising one."""

Epoch = dict[str, Any]


@dataclass(frozen=True, eq=False)
class LabeledWindows:
    """Windows for training or evaluation.

    Args:
        windows: 0 to 1, float32, shape (N, n_samples).
        labels: Person and activity, int64, shape (N, 2).
        following: Index of the window that begins where each ends, −1 if there is none; int64, shape (N,).
    """

    windows: Tensor
    labels: Tensor
    following: Tensor


@dataclass(frozen=True)
class Training:
    """Definition of a training.

    Args:
        network: Its architecture.
        balancing: Name of the rule that balances the tasks.
        gradient_of: `last_shared`, `shared` or `all`: the gradient that the rule weighs.
        loss: One of `LOSSES`.
        precision: See `BalancedGradients`; evaluation is in float32.
        recipe: Batches, rate and crops.
        epochs: Number of epochs.
        seed: Of weights, batches and crops.
        identity: JSON of the experiment; checkpoints of another one are not resumed.
    """

    network: DualTaskConfig
    balancing: str
    gradient_of: str
    loss: str
    precision: str
    recipe: Recipe
    epochs: int
    seed: int
    identity: str


@dataclass(frozen=True, eq=False)
class Trained:
    """Result of a training.

    Args:
        network: After the last epoch, in evaluation mode.
        epochs: Curves: per epoch `loss` and `accuracy` (on training batches), `weights` and `gradient_norms`
            (null if the rule does not measure any) by task, means over its steps; `cpu_s`.
        first_weights: The balancing's weights at each step of the first epoch, by task.
    """

    network: DualTaskNetwork
    epochs: Sequence[Epoch]
    first_weights: Sequence[Sequence[float]]


@dataclass
class _Run:
    network: DualTaskNetwork
    balancer: TaskBalancer
    gradients: BalancedGradients
    optimizer: FlatAdam
    generator: torch.Generator
    epochs: list[Epoch] = field(default_factory=list)
    first_weights: list[list[float]] = field(default_factory=list)


def train(
    training: Training,
    data: LabeledWindows,
    folder: Path,
    *,
    report: Callable[[int], None],
    stop: Callable[[], bool],
) -> Trained | None:
    """Train a network, or resume its training.

    Args:
        training: Its definition.
        data: The windows to train on.
        folder: For the checkpoint.
        report: Called after each epoch with the number done.
        stop: Called after each epoch; True leaves the rest for later.

    Returns:
        None if stopped before the last epoch.

    Raises:
        FloatingPointError: The loss is not finite.
        ValueError: Invalid parameters of network or balancing.
    """
    run = _start(training, len(data.windows))
    _restore(run, folder / CHECKPOINT_FILE, training.identity)
    report(len(run.epochs))
    while len(run.epochs) < training.epochs:
        _epoch(run, training, data)
        _save(run, folder / CHECKPOINT_FILE, training.identity)
        report(len(run.epochs))
        if stop() and len(run.epochs) < training.epochs:
            return None
    return Trained(run.network.eval(), run.epochs, run.first_weights)


@torch.no_grad()
def predict(network: DualTaskNetwork, windows: Tensor) -> tuple[Tensor, Tensor]:
    """Return log-probabilities of identity (N, n_people) and activity (N, n_activities), float32."""
    network.eval()
    logits = [network(part) for part in torch.split(windows, _EVALUATED_AT_ONCE)]
    identity = torch.cat([one.identity for one in logits])
    activity = torch.cat([one.activity for one in logits])
    return identity.log_softmax(dim=1), activity.log_softmax(dim=1)


def _start(training: Training, n_windows: int) -> _Run:
    torch.manual_seed(training.seed)
    steps_per_epoch = -(-n_windows // training.recipe.batch_size)
    options = {"steps_per_epoch": steps_per_epoch} if training.balancing == "dt4ecg_renorm" else {}
    network = DualTaskNetwork(training.network)
    balancer = make_balancer(training.balancing, len(TASKS), **options)
    loss = LOSSES[training.loss]
    return _Run(
        network=network,
        balancer=balancer,
        gradients=BalancedGradients(network, balancer, loss, training.gradient_of, training.precision),
        optimizer=FlatAdam(network.parameters(), weight_decay=training.recipe.weight_decay),
        generator=torch.Generator().manual_seed(training.seed),
    )


def _epoch(run: _Run, training: Training, data: LabeledWindows) -> None:
    began_s = time.process_time()
    run.network.train()
    sums: dict[str, Tensor] = {}
    order = torch.randperm(len(data.windows), generator=run.generator)
    batches = _batches(order, training.recipe.batch_size)
    for k, rows in enumerate(batches):
        windows = crops(data, rows, run.generator) if training.recipe.crops else data.windows[rows]
        rate = learning_rate(training.recipe, (len(run.epochs) + k / len(batches)) / training.epochs)
        figures = _step(run, windows, data.labels[rows], rate)
        if not run.epochs:
            run.first_weights.append([float(f"{weight:.4g}") for weight in figures["weights"].tolist()])
        for name, values in figures.items():
            sums[name] = sums.get(name, torch.zeros(len(TASKS), dtype=torch.float64)) + values * len(rows)
    means = {name: [float(f"{v:.5g}") for v in (total / len(order)).tolist()] for name, total in sums.items()}
    cpu_s = round(time.process_time() - began_s, 3)
    run.epochs.append({"epoch": len(run.epochs) + 1, "gradient_norms": None, **means, "cpu_s": cpu_s})


def learning_rate(recipe: Recipe, done: float) -> float:
    """Return the rate of a step.

    Args:
        recipe: Has the highest rate and its schedule.
        done: Share of the training done, from 0 to less than 1.
    """
    if not recipe.rise:
        return recipe.learning_rate
    if done < recipe.rise:
        return recipe.learning_rate * max(done / recipe.rise, _LEAST)
    return recipe.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (done - recipe.rise) / (1.0 - recipe.rise)))


def crops(data: LabeledWindows, rows: Tensor, generator: torch.Generator) -> Tensor:
    """Cut windows that begin anywhere between the starts of two consecutive ones.

    Args:
        data: Training data.
        rows: Some of its windows, int64, shape (B,); one without a successor stays as it is.
        generator: Draws the starts.

    Returns:
        Shape (B, n_samples).
    """
    following, n = data.following[rows], data.windows.shape[1]
    late = torch.randint(0, n, (len(rows), 1), generator=generator) * (following >= 0)[:, None]
    both = torch.cat([data.windows[rows], data.windows[following.clamp(min=0)]], dim=1)
    return both.gather(1, late + torch.arange(n))


def _batches(order: Tensor, batch_size: int) -> Sequence[Tensor]:
    batches = list(torch.split(order, batch_size))
    # One window has no statistics to be normalized by.
    return batches if len(batches[-1]) > 1 else batches[:-1]


def _step(run: _Run, windows: Tensor, labels: Tensor, rate: float) -> dict[str, Tensor]:
    """Take one step; returns figures by task, float64, shape (2,)."""
    run.optimizer.zero_grad()
    try:
        logits, losses = run.gradients.added(windows, labels)
    except FloatingPointError as error:
        raise FloatingPointError(f"epoch {len(run.epochs) + 1}: {error}") from None
    run.balancer.after_backward()
    run.optimizer.step(rate)
    right = [(one.argmax(dim=1) == labels[:, k]).double().mean() for k, one in enumerate(logits)]
    figures = {"loss": losses.double(), "accuracy": torch.stack(right), "weights": run.balancer.weights}
    norms = run.balancer.log
    return figures if norms is None else figures | {"gradient_norms": norms}


def _save(run: _Run, path: Path, identity: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    state = {
        "identity": identity,
        "network": run.network.state_dict(),
        "balancer": run.balancer.state_dict(),
        "optimiser": run.optimizer.state_dict(),
        "generator": run.generator.get_state(),
        "torch": torch.get_rng_state(),
        "epochs": run.epochs,
        "first_weights": run.first_weights,
    }
    torch.save(state, draft)
    draft.replace(path)  # An interrupted write leaves the former one.


def _restore(run: _Run, path: Path, identity: str) -> None:
    if not path.is_file():
        return
    kept = torch.load(path, weights_only=True)
    if kept["identity"] != identity:
        return
    run.network.load_state_dict(kept["network"])
    run.balancer.load_state_dict(kept["balancer"])
    run.optimizer.load_state_dict(kept["optimiser"])
    run.generator.set_state(kept["generator"])
    torch.set_rng_state(kept["torch"])
    run.epochs, run.first_weights = list(kept["epochs"]), list(kept["first_weights"])
