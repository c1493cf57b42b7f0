"""Triplets of the farthest own and the nearest other sample."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.metric_loss import MetricLoss


class BatchHardTriplet(MetricLoss):
    """The farthest sample of the own class must lie nearer than the nearest of another, by a margin.

    Distances are Euclidean between unit vectors: 0 … 2.

    Args:
        margin: Of the distances; can be changed at any time.
        softness: 0 is a hinge; larger values round it off over about this distance. 1 with margin 0 is the
            published soft margin, for vectors of any length: unit vectors need less.
        ignored_pairs: Classes that are never each other's nearest other.

    Source:
        Hermans et al. 2017, "In defense of the triplet loss for person re-identification", equation 5.
    """

    def __init__(
        self, *, margin: float = 0.2, softness: float = 0.0, ignored_pairs: IgnoredPairs | None = None
    ) -> None:
        super().__init__(ignored_pairs)
        self.margin = margin
        self.softness = softness

    def of_units(self, units: Tensor, labels: Tensor) -> Tensor:
        same, different = self.same_and_different(labels)
        distances = (2.0 - 2.0 * units @ units.T).clamp_min(1e-7).sqrt()
        farthest = distances.masked_fill(~same, -torch.inf).amax(dim=1)
        nearest = distances.masked_fill(~different, torch.inf).amin(dim=1)
        violations = (farthest - nearest + self.margin)[same.any(dim=1) & different.any(dim=1)]
        if violations.numel() == 0:
            return 0.0 * units.sum()  # Still a function of the network, so that backward() works.
        if self.softness == 0.0:
            return violations.relu().mean()
        return functional.softplus(violations, beta=1.0 / self.softness).mean()
