"""The training of a window network: batches of augmented windows, a few loss terms, one optimizer.

It can be resumed: a checkpoint holds weights, optimizer, averages and the state of all random numbers. With a
time limit, the schedules follow whichever is further, steps or time, so that a training always ends annealed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ml.data.splits import digest
from ml.losses import make_metric_loss
from ml.losses.class_loss import ClassLoss
from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.metric_loss import MetricLoss
from ml.losses.terms_by_name import DISTILLATION_TERMS
from ml.models.networks import make_network
from ml.training.checkpoints import (
    NETWORK_FILE,
    Classes,
    Head,
    TrainingIdentity,
    load_checkpoint,
    load_network,
    save_checkpoint,
    save_figures,
    save_network,
)
from ml.training.devices import random_state, set_random_state
from ml.training.network_recipe import LossPlan, NetworkRecipe, OptimizationConfig
from ml.training.recipe import RecipeError
from ml.training.schedules import WeightAverage, learning_rate

_log = logging.getLogger(__name__)

FIRST_THIRD, LAST_THIRD = 0, 2
CHECKPOINT_EVERY_S = 240.0
# Norm at which the gradient of all trained parts is clipped: network, class directions and projectors.
LARGEST_GRADIENT = 5.0
# Figures are averaged over about this many steps before they are logged.
SMOOTHING_STEPS = 50

Evaluation = Callable[[nn.Module], Mapping[str, float]]
# Progress 0 to 1, smoothed terms of the loss, elapsed seconds.
Progress = Callable[[float, Mapping[str, float], float], None]


class Views(Protocol):
    """Augmented views of training strips."""

    def draw(self, strips: Tensor, parts: Tensor) -> Tensor:
        """Return one view per strip index and third of the strip; float32, (B,), (B,) → (B, n_samples)."""
        ...


@dataclass(frozen=True)
class TrainingSet:
    """Training set of a network.

    Args:
        people: Person of each strip, 0 to n_people − 1; int64, shape (n_strips,).
        names: Of the people, by index.
        views: Random generator → source of augmented views of strips.
        ignored_pairs: Pairs of people who are probably one person.
    """

    people: Tensor
    names: tuple[str, ...]
    views: Callable[[torch.Generator], Views]
    ignored_pairs: IgnoredPairs | None = None

    @property
    def n_people(self) -> int:
        """Number of people."""
        return len(self.names)

    @property
    def people_sha256(self) -> str:
        """SHA-256 of the names: class directions mean the same people exactly if these are equal."""
        return digest(self.names)

    @property
    def ignored_pairs_sha256(self) -> str:
        """SHA-256 of the pairs, empty without any."""
        if self.ignored_pairs is None or self.ignored_pairs.partners.shape[1] == 1:
            return ""
        return hashlib.sha256(json.dumps(self.ignored_pairs.partners.tolist()).encode()).hexdigest()


@dataclass(frozen=True)
class Teaching:
    """Distillation, as the loop needs it.

    Args:
        weights_sha256: Of the teacher.
        guide: Student's network and losses → a module that maps the student's features, the windows, their
            labels and the progress to weighted terms of the loss by name.
    """

    weights_sha256: str
    guide: Callable[[nn.Module, nn.ModuleDict], nn.Module]


@dataclass
class Run:
    """The state of a training between two steps."""

    identity: TrainingIdentity
    device: torch.device
    network: nn.Module
    losses: nn.ModuleDict
    guide: nn.Module | None
    optimizer: torch.optim.Optimizer
    average: WeightAverage
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    smoothed: dict[str, float] = field(default_factory=dict)
    epochs: list[dict[str, Any]] = field(default_factory=list)


def train_network(
    recipe: NetworkRecipe,
    data: TrainingSet,
    folder: Path,
    *,
    evaluate: Evaluation,
    report: Progress,
    teach: Teaching | None = None,
    initial: Path | None = None,
    limit_s: float | None = None,
    evaluations: int = 6,
    device: torch.device | str = "cpu",
) -> nn.Module:
    """Train the network of a recipe, or resume its training.

    Args:
        recipe: The experiment.
        data: Training people only.
        folder: For checkpoint, weights (half precision) and figures.
        evaluate: Network → figures on development data, for the log; they stop and choose nothing.
        report: Called after every step.
        teach: Distillation, if any.
        initial: Saved weights to start from; its class directions are used if the people are the same.
        limit_s: Seconds after which the training ends; evaluations do not count.
        evaluations: Number of calls of `evaluate`, at least one; weights and figures are saved each time.
        device: Of network, losses and teacher; batches are always drawn on the CPU.

    Returns:
        The network with averaged weights, in evaluation mode. A training that has ended already returns its
        former result.

    Raises:
        ValueError: No evaluation, no time, or an error found by `check_recipe`.
        RecipeError: Initial weights of another architecture.
        FloatingPointError: The loss is not finite; the checkpoint is from earlier steps.
    """
    if evaluations < 1 or (limit_s is not None and limit_s <= 0.0):
        raise ValueError(f"expected an evaluation and some seconds, got {evaluations} and {limit_s}")
    config = recipe.optimisation
    run = _start(recipe, data, teach, initial, torch.device(device))
    if kept := load_checkpoint(folder, run.identity):
        _restore(run, kept)
    views = data.views(run.generator)
    saved_at = time.monotonic()
    began = saved_at - run.seconds
    progress = _progress(run, config, limit_s)
    while progress < 1.0:
        windows, labels = _batch(run, config.people, data.people, views)
        _step(run, recipe, windows, labels, progress)
        run.seconds = time.monotonic() - began
        due = int(progress * evaluations)
        progress = _progress(run, config, limit_s)
        report(min(progress, 1.0), run.smoothed, run.seconds)
        noted = int(min(progress, 1.0) * evaluations) > due
        if noted:
            _note(run, evaluate, learning_rate(progress, config))
            began = time.monotonic() - run.seconds  # Evaluation is not training time.
            _keep(run, recipe, folder)
        # At the end too: without its last checkpoint, a finished training would be resumed.
        if noted or time.monotonic() - saved_at > CHECKPOINT_EVERY_S:
            save_checkpoint(folder, run.identity, _state(run))
            saved_at = time.monotonic()
    run.network.load_state_dict(run.average.state)
    return run.network.eval()


def check_recipe(recipe: NetworkRecipe) -> None:
    """Build network and losses once, to find errors in a recipe before the data are read.

    Raises:
        RecipeError: An unknown name or option of network, losses or distillation terms, or an invalid
            value.
    """
    try:
        network = make_network(recipe.network.name, recipe.network.parameters)
        for plan in recipe.losses:
            _loss(plan, network, n_classes=2, ignored_pairs=None)
        terms = recipe.distillation.terms if recipe.distillation else {}
        if unknown := sorted(set(terms) - set(DISTILLATION_TERMS)):
            raise ValueError(f"distillation: unknown {unknown}, known are {sorted(DISTILLATION_TERMS)}")
    except (TypeError, ValueError) as error:
        raise RecipeError(f"recipe of {recipe.bundle.id}: {error}") from error


def _loss(
    plan: LossPlan, network: nn.Module, n_classes: int, ignored_pairs: IgnoredPairs | None
) -> MetricLoss:
    loss = make_metric_loss(
        plan.name,
        n_classes=n_classes,
        embedding_size=int(network.embedding_size),  # type: ignore[arg-type]
        ignored_pairs=ignored_pairs,
        **plan.options,
    )
    if plan.margin is not None and not hasattr(loss, "margin"):
        raise ValueError(f"loss {plan.name} has no margin")
    return loss


def _start(
    recipe: NetworkRecipe,
    data: TrainingSet,
    teach: Teaching | None,
    initial: Path | None,
    device: torch.device,
) -> Run:
    config = recipe.optimisation
    torch.manual_seed(config.seed)
    # Built on the CPU and moved: fresh weights are the same everywhere.
    network = make_network(recipe.network.name, recipe.network.parameters).to(device)
    losses = nn.ModuleDict(
        {plan.name: _loss(plan, network, data.n_people, data.ignored_pairs) for plan in recipe.losses}
    ).to(device)
    if initial:
        _begin_from(initial, recipe, data, network, losses)
    guide = teach.guide(network, losses).to(device) if teach else None
    return Run(
        identity=TrainingIdentity(
            recipe.sha256,
            data.people_sha256,
            data.ignored_pairs_sha256,
            teach.weights_sha256 if teach else "",
            hashlib.sha256(initial.read_bytes()).hexdigest() if initial else "",
        ),
        device=device,
        network=network,
        losses=losses,
        guide=guide,
        optimizer=_optimizer([network, losses, *([guide] if guide else [])], config),
        average=WeightAverage(network, config.average_steps),
        generator=torch.Generator().manual_seed(config.seed),
    )


def _begin_from(
    initial: Path, recipe: NetworkRecipe, data: TrainingSet, network: nn.Module, losses: nn.ModuleDict
) -> None:
    """Load initial weights and, for the same people, class directions."""
    former, classes = load_network(initial)
    try:
        network.load_state_dict(former.state_dict())
    except RuntimeError as error:
        raise RecipeError(
            f"[initial] {initial.name} is not a {recipe.network.name} of these parameters"
        ) from error
    if classes.people_sha256 != data.people_sha256:
        _log.warning("%s has other people: class directions begin afresh", initial)
        return
    own = dict(losses.items())
    for name, head in classes.heads.items():
        loss = own.get(name)
        if isinstance(loss, ClassLoss) and loss.centers.shape == head.centers.shape:
            with torch.no_grad():
                loss.centers.copy_(head.centers)


def _optimizer(modules: list[nn.Module], config: OptimizationConfig) -> torch.optim.Optimizer:
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
    )


def _progress(run: Run, config: OptimizationConfig, limit_s: float | None) -> float:
    by_time = run.seconds / limit_s if limit_s else 0.0
    return max(run.step / config.steps, by_time)


def _step(
    run: Run,
    recipe: NetworkRecipe,
    windows: Tensor,
    labels: Tensor,
    progress: float,
) -> None:
    run.network.train()
    with torch.autocast(windows.device.type, dtype=torch.bfloat16, enabled=recipe.optimisation.bfloat16):
        features = run.network(windows)
    embedding = features.embedding.float()
    terms: dict[str, Tensor] = {}
    for plan in recipe.losses:
        if plan.counts_at(progress):
            terms[plan.name] = plan.weight * _value(run.losses[plan.name], plan, embedding, labels, progress)
    if run.guide:
        terms |= run.guide(features, windows, labels, progress)
    loss = torch.stack(list(terms.values())).sum()
    # One transfer for all values, since each one waits for the device.
    values = dict(zip(("loss", *terms), torch.stack([loss, *terms.values()]).tolist(), strict=True))
    if not isfinite(values["loss"]):
        raise FloatingPointError(f"step {run.step}: {values}")
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(progress, recipe.optimisation)
    trained = [p for group in run.optimizer.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
    run.optimizer.step()
    run.average.update(run.network)
    run.step += 1
    share = max(1.0 / run.step, 1.0 / SMOOTHING_STEPS)
    for name, value in values.items():
        former = run.smoothed.get(name, value)
        run.smoothed[name] = former + share * (value - former)


def _batch(run: Run, n_strips: int, people: Tensor, views: Views) -> tuple[Tensor, Tensor]:
    """Two views of each of some strips, from its first and its last third."""
    strips = torch.randperm(len(people), generator=run.generator)[:n_strips]
    parts = torch.tensor([FIRST_THIRD, LAST_THIRD]).repeat_interleave(len(strips))
    both = strips.repeat(2)
    # Random numbers come from the CPU only: other devices see the same batches.
    return views.draw(both, parts).to(run.device), people[both].to(run.device)


def _value(loss: nn.Module, plan: LossPlan, embedding: Tensor, labels: Tensor, progress: float) -> Tensor:
    if plan.margin is not None:
        loss.margin = plan.margin_at(progress)  # type: ignore[assignment]
    value: Tensor = loss(embedding, labels)
    return value


def _note(run: Run, evaluate: Evaluation, rate: float) -> None:
    """Log the figures of the averaged weights."""
    trained = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.network.load_state_dict(run.average.state)
    run.network.eval()
    figures = evaluate(run.network)
    run.network.load_state_dict(trained)
    run.epochs.append(
        {
            "epoch": len(run.epochs) + 1,
            "step": run.step,
            "seconds": round(run.seconds, 1),
            "lr": rate,
            **{name: round(value, 4) for name, value in run.smoothed.items()},
            **{name: float(value) for name, value in figures.items()},
        }
    )


def _keep(run: Run, recipe: NetworkRecipe, folder: Path) -> None:
    heads = {
        n: Head(loss.centers, loss.scale) for n, loss in run.losses.items() if isinstance(loss, ClassLoss)
    }
    classes = Classes(run.identity.people_sha256, heads)
    save_network(folder / NETWORK_FILE, recipe.network, run.average.state, classes)
    save_figures(
        folder,
        {
            **asdict(run.identity),
            "parameters": sum(p.numel() for p in run.network.parameters()),
            "seconds": round(run.seconds, 1),
            "steps": run.step,
            "windows": run.step * 2 * recipe.optimisation.people,
            "epochs": run.epochs,
        },
    )


def _state(run: Run) -> dict[str, Any]:
    return {
        "network": run.network.state_dict(),
        "losses": run.losses.state_dict(),
        "guide": run.guide.state_dict() if run.guide else {},
        "optimiser": run.optimizer.state_dict(),
        "average": run.average.state_dict(),
        "generator": run.generator.get_state(),
        "torch": random_state(run.device),
        "step": run.step,
        "seconds": run.seconds,
        "smoothed": run.smoothed,
        "epochs": run.epochs,
    }


def _restore(run: Run, kept: Mapping[str, Any]) -> None:
    run.network.load_state_dict(kept["network"])
    run.losses.load_state_dict(kept["losses"])
    if run.guide:
        run.guide.load_state_dict(kept["guide"])
    run.optimizer.load_state_dict(kept["optimiser"])
    run.average.load_state_dict(kept["average"])
    run.generator.set_state(kept["generator"])
    set_random_state(kept["torch"], run.device)
    run.step, run.seconds = kept["step"], kept["seconds"]
    run.smoothed, run.epochs = dict(kept["smoothed"]), list(kept["epochs"])
