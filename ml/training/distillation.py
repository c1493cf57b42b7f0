"""The teacher's part in the training of a student, on the same windows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.losses.class_loss import ClassLoss
from ml.losses.terms_by_name import Apprenticeship, make_distillation_terms
from ml.models.features import WINDOW_SAMPLES, Features
from ml.training.checkpoints import Classes, load_network
from ml.training.devices import device_of
from ml.training.loop import Teaching, TrainingSet
from ml.training.network_recipe import DistillationPlan
from ml.training.recipe import RecipeError

# Two windows suffice to learn the shapes; batch normalization needs more than one.
PROBE_WINDOWS = 2
# These compare person predictions, which a teacher trained on other people cannot give.
NAMING_TERMS = {"kd_logit", "kd_token_label"}


class Guide(nn.Module):
    """Weighted terms of a distillation.

    The teacher itself is neither trained nor saved: it is referenced, not registered.
    """

    def __init__(self, teacher: nn.Module, plan: DistillationPlan, pair: Apprenticeship) -> None:
        super().__init__()
        self._teacher = (teacher,)
        self.terms = make_distillation_terms(plan.terms, pair, ramp=plan.ramp)

    def forward(
        self, student: Features, windows: Tensor, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """Compute each term under its weight at this point of the training."""
        with torch.no_grad(), torch.autocast(windows.device.type, dtype=torch.bfloat16):
            teacher = self._teacher[0](windows)
        return {
            name: self.terms.weight(name, progress) * term(student, teacher, labels)
            for name, term in self.terms.terms.items()
        }


def taught_by(weights: Path, plan: DistillationPlan, data: TrainingSet) -> Teaching:
    """Load a teacher, and build its terms.

    Args:
        weights: The teacher's saved weights.
        plan: Terms and their weights.
        data: Training set of the student.

    Raises:
        RecipeError: A term compares person predictions, but the teacher was trained on other people.
    """
    teacher, classes = load_network(weights)
    for parameter in teacher.parameters():
        parameter.requires_grad_(False)
    if (naming := sorted(NAMING_TERMS & set(plan.terms))) and not _of_the_same_people(classes, data):
        raise RecipeError(
            f"[distillation] {', '.join(naming)}: {weights.name} was trained on other people than the "
            f"student's {data.n_people}"
        )

    def guide(network: nn.Module, losses: nn.ModuleDict) -> Guide:
        if hasattr(network, "with_attentions"):
            network.with_attentions = "kd_attention" in plan.terms  # type: ignore[assignment]
        teacher.to(device_of(network))
        own_name, own = _class_loss(losses)
        pair = Apprenticeship(
            student=_shapes(network),
            teacher=_shapes(teacher),
            student_logits=own.logits if own else None,
            teacher_logits=_teacher_logits(classes, own_name, own, device_of(network)),
            ignored_pairs=data.ignored_pairs,
        )
        return Guide(teacher, plan, pair)

    return Teaching(hashlib.sha256(weights.read_bytes()).hexdigest(), guide)


def _of_the_same_people(classes: Classes, data: TrainingSet) -> bool:
    if classes.people_sha256 is not None:
        return classes.people_sha256 == data.people_sha256
    # Networks saved without their people at least have their number.
    return all(head.centers.shape[1] == data.n_people for head in classes.heads.values())


def _shapes(network: nn.Module) -> Features:
    """Features of any input: on a copy, so that statistics and random numbers of the training stay."""
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


def _teacher_logits(
    classes: Classes, own_name: str, own: ClassLoss | None, device: torch.device
) -> Callable[[Tensor], Tensor] | None:
    """Predictions of the teacher's class loss; if it has several, of the one with the student's name."""
    if not classes.heads:
        return None
    head = classes.heads.get(own_name, next(iter(classes.heads.values())))
    scale = head.scale if head.scale is not None else own.scale if own else 1.0
    directions = functional.normalize(head.centers, dim=2).to(device)

    def logits(embeddings: Tensor) -> Tensor:
        units = scale * functional.normalize(embeddings.float(), dim=1)
        return torch.stack([units @ part.T for part in directions]).amax(dim=0)

    return logits
