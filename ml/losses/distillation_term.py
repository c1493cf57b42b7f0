"""Base of all distillation terms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ml.models.features import Features


class DistillationTerm(nn.Module):
    """Distance of a student from its teacher, in float32 even under autocast.

    No gradient reaches the teacher.
    """

    def forward(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:
        """Compute the term on a batch.

        Args:
            student: Features of the same windows as `teacher`, in the same order.
            teacher: Treated as constant.
            labels: int64, shape (B,).

        Returns:
            float32 scalar, 0 at best.

        Raises:
            ValueError: The student lacks the features that this term compares.
        """
        with torch.autocast(labels.device.type, enabled=False):
            return self.of_features(in_float32(student), detached(in_float32(teacher)), labels)

    @abstractmethod
    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:
        """Compute the term in float32, with the teacher detached."""


def in_float32(features: Features) -> Features:
    """Return features in float32."""
    return _each(features, Tensor.float)


def detached(features: Features) -> Features:
    """Return features without gradient."""
    return _each(features, Tensor.detach)


def _each(features: Features, change: Callable[[Tensor], Tensor]) -> Features:
    return Features(
        embedding=change(features.embedding),
        stages=tuple(map(change, features.stages)),
        attentions=tuple(map(change, features.attentions)),
        distillation=None if features.distillation is None else change(features.distillation),
    )
