"""What all distillation terms share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ml.models.features import Features


class DistillationTerm(nn.Module):
    """How far a student is from its teacher, in float32 whatever autocast says.

    Nothing flows back to the teacher.
    """

    def forward(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:
        """Value of a batch.

        Args:
            student: Of the same windows, in the same order, as `teacher`.
            teacher: Taken as constant.
            labels: int64, shape (B,).

        Returns:
            float32 scalar, 0 at best.

        Raises:
            ValueError: The student gives nothing that this term could compare.
        """
        with torch.autocast(labels.device.type, enabled=False):
            return self.of_features(in_float32(student), detached(in_float32(teacher)), labels)

    @abstractmethod
    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:
        """Value of a batch in float32, the teacher detached."""


def in_float32(features: Features) -> Features:
    """The same in float32."""
    return _each(features, Tensor.float)


def detached(features: Features) -> Features:
    """The same as constants."""
    return _each(features, Tensor.detach)


def _each(features: Features, change: Callable[[Tensor], Tensor]) -> Features:
    return Features(
        embedding=change(features.embedding),
        stages=tuple(map(change, features.stages)),
        attentions=tuple(map(change, features.attentions)),
        distillation=None if features.distillation is None else change(features.distillation),
    )
