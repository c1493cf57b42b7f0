"""Supervised contrastive loss."""

from __future__ import annotations

from pytorch_metric_learning.losses import SupConLoss
from torch import Tensor

from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.metric_loss import MetricLoss


class SupCon(MetricLoss):
    """Each sample must pick the others of its class out of the batch.

    Args:
        temperature: Of the cosines.
        ignored_pairs: Classes that are left out of each other's negatives.

    Source:
        Khosla et al. 2020, "Supervised contrastive learning", equation 2; as in pytorch-metric-learning.
    """

    def __init__(self, *, temperature: float = 0.1, ignored_pairs: IgnoredPairs | None = None) -> None:
        super().__init__(ignored_pairs)
        self.of_pairs = SupConLoss(temperature=temperature)

    def of_units(self, units: Tensor, labels: Tensor) -> Tensor:
        same, different = self.same_and_different(labels)
        pairs = (*same.nonzero(as_tuple=True), *different.nonzero(as_tuple=True))
        loss: Tensor = self.of_pairs(units, indices_tuple=pairs)
        return loss
