"""The teacher's part in the training of a student: the same windows, seen by both."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.losses.class_loss import ClassLoss
from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.terms_by_name import Apprenticeship, make_distillation_terms
from ml.models.features import WINDOW_SAMPLES, Features
from ml.training.checkpoints import load_network
from ml.training.devices import device_of
from ml.training.loop import Teach
from ml.training.network_recipe import DistillationPlan

# Two windows make the shapes known; batch normalisation needs more than one.
PROBE_WINDOWS = 2


class Guide(nn.Module):
    """Weighted terms of a distillation.

    The teacher itself is no part of what is trained or kept: it is looked up, not registered.
    """

    def __init__(self, teacher: nn.Module, plan: DistillationPlan, pair: Apprenticeship) -> None:
        super().__init__()
        self._teacher = (teacher,)
        self.terms = make_distillation_terms(plan.terms, pair, ramp=plan.ramp)

    def forward(
        self, student: Features, windows: Tensor, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """Each term under its weight at this point of the training."""
        with torch.no_grad(), torch.autocast(windows.device.type, dtype=torch.bfloat16):
            teacher = self._teacher[0](windows)
        return {
            name: self.terms.weight(name, progress) * term(student, teacher, labels)
            for name, term in self.terms.terms.items()
        }


def taught_by(weights: Path, plan: DistillationPlan, ignored_pairs: IgnoredPairs | None) -> Teach:
    """Load a teacher and say how it guides a student.

    Args:
        weights: What the teacher's training kept.
        plan: Terms and their weights.
        ignored_pairs: Pairs of people that are probably one.
    """
    teacher, heads = load_network(weights)
    for parameter in teacher.parameters():
        parameter.requires_grad_(False)

    def teach(network: nn.Module, losses: nn.ModuleDict) -> Guide:
        if hasattr(network, "with_attentions"):
            network.with_attentions = "kd_attention" in plan.terms  # type: ignore[assignment]
        teacher.to(device_of(network))
        student, taught = _shapes(network), _shapes(teacher)
        name, class_loss = _class_loss(losses)
        if class_loss and name in heads and heads[name].shape[1] != class_loss.centers.shape[1]:
            raise ValueError(
                f"{weights.name}: the teacher knows {heads[name].shape[1]} people, "
                f"the student is to learn {class_loss.centers.shape[1]}"
            )
        pair = Apprenticeship(
            student=student,
            teacher=taught,
            student_logits=class_loss.logits if class_loss else None,
            teacher_logits=_logits(heads[name].to(device_of(network)), class_loss.scale)
            if class_loss and name in heads
            else None,
            ignored_pairs=ignored_pairs,
        )
        return Guide(teacher, plan, pair)

    return teach


def _shapes(network: nn.Module) -> Features:
    """Features of anything: on a copy, for statistics and random numbers of the training must not change."""
    device = device_of(network)
    with torch.no_grad(), torch.random.fork_rng([device] if device.type == "cuda" else []):
        windows = torch.randn(PROBE_WINDOWS, WINDOW_SAMPLES).to(device)
        features: Features = deepcopy(network)(windows)
    return features


def _class_loss(losses: nn.ModuleDict) -> tuple[str, ClassLoss | None]:
    for name, loss in losses.items():
        if isinstance(loss, ClassLoss):
            return name, loss
    return "", None


def _logits(centers: Tensor, scale: float) -> Callable[[Tensor], Tensor]:
    directions = functional.normalize(centers.float(), dim=2)

    def logits(embeddings: Tensor) -> Tensor:
        units = scale * functional.normalize(embeddings.float(), dim=1)
        return torch.stack([units @ part.T for part in directions]).amax(dim=0)

    return logits
