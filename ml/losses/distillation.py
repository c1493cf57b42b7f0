"""Hierarchical distillation: a weighted sum of named terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ml.losses.distillation_term import DistillationTerm
from ml.models.features import Features


class WeightedTerm(NamedTuple):
    """A term and its place in the sum.

    Args:
        term: The term.
        weight: Its weight at the end of the ramp; above 0.
        ramp: Share of the training over which the weight rises from 0; 0 is the full weight at once.
    """

    term: DistillationTerm
    weight: float = 1.0
    ramp: float = 0.0


class DistillationTerms(nn.Module):
    """The terms by which a teacher guides a student; their projectors are trained with the student.

    Args:
        terms: By the name that logs show.

    Raises:
        ValueError: No term, or a weight or ramp out of range; the message names the term.
    """

    def __init__(self, terms: Mapping[str, WeightedTerm]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("no terms to learn from the teacher")
        for name, (_, weight, ramp) in terms.items():
            if weight <= 0.0 or not 0.0 <= ramp <= 1.0:
                raise ValueError(
                    f"{name}: expected a weight above 0 and a ramp of 0 to 1, got {weight}, {ramp}"
                )
        self.terms = nn.ModuleDict({name: term for name, (term, _, _) in terms.items()})
        self.weights = {name: (weight, ramp) for name, (_, weight, ramp) in terms.items()}

    def forward(
        self, student: Features, teacher: Features, labels: Tensor, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum the terms.

        Args:
            student: Features of the same windows as `teacher`, in the same order.
            teacher: Treated as constant.
            labels: int64, shape (B,).
            progress: Share of all steps done, 0 … 1.

        Returns:
            float32 scalar to minimize, and each term's value for the log, without weight and gradient.
        """
        values = {name: term(student, teacher, labels) for name, term in self.terms.items()}
        weighted = [self.weight(name, progress) * value for name, value in values.items()]
        return torch.stack(weighted).sum(), {name: value.detach() for name, value in values.items()}

    def weight(self, name: str, progress: float) -> float:
        """Weight of a term at a share of the training."""
        weight, ramp = self.weights[name]
        return weight if ramp == 0.0 else weight * min(1.0, progress / ramp)
