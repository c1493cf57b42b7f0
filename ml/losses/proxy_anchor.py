"""Proxy anchor: every class's direction pulls its own samples and pushes all others."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.metric_loss import MetricLoss

# Zero beside 0, yet finite: a class without negatives then has no gradient, while minus infinity would make
# it undefined.
NOTHING = -1e4


class ProxyAnchor(MetricLoss):
    """Per class, a soft maximum over the batch of the nearness of others and the distance of own samples.

    Args:
        n_classes: Labels are 0 … n_classes - 1.
        embedding_size: Length of an embedding.
        scale: Of the cosines.
        margin: Of the cosines, on both sides; can be changed at any time.
        ignored_pairs: Classes that do not push each other's samples.

    Source:
        Kim et al. 2020, "Proxy anchor loss for deep metric learning", equation 4.
    """

    def __init__(
        self,
        n_classes: int,
        embedding_size: int,
        *,
        scale: float = 32.0,
        margin: float = 0.1,
        ignored_pairs: IgnoredPairs | None = None,
    ) -> None:
        super().__init__(ignored_pairs)
        self.scale = scale
        self.margin = margin
        self.proxies = nn.Parameter(torch.empty(n_classes, embedding_size))
        nn.init.normal_(self.proxies, std=embedding_size**-0.5)

    def of_units(self, units: Tensor, labels: Tensor) -> Tensor:
        scaled = functional.normalize(self.proxies, dim=1) @ (self.scale * units).T  # (C, B)
        own = scaled[labels, torch.arange(len(labels), device=labels.device)]  # (B,)
        pushed_by = labels[:, None] if self.ignored_pairs is None else self.ignored_pairs.of(labels)
        pushing = scaled.add_(self.scale * self.margin).scatter_(0, pushed_by.T, NOTHING)
        return _pull(self.scale * self.margin - own, labels) + _soft_hinge(pushing).mean()


def _pull(lacking: Tensor, labels: Tensor) -> Tensor:
    present, which = torch.unique(labels, return_inverse=True)
    belongs = torch.arange(len(present), device=labels.device)[:, None] == which  # (classes present, B)
    return _soft_hinge(lacking.expand_as(belongs).masked_fill(~belongs, NOTHING)).mean()


def _soft_hinge(x: Tensor) -> Tensor:
    """log(1 + Σ exp x) over the last axis."""
    return functional.softplus(x.logsumexp(dim=-1))
