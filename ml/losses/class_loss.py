"""Softmax over cosines to learned class directions, with a margin that subclasses define."""

from __future__ import annotations

from abc import abstractmethod
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.metric_loss import MetricLoss


class ClassLoss(MetricLoss):
    """Cross-entropy of scaled cosines, with a margin on the own class.

    Args:
        n_classes: Labels are 0 … n_classes - 1.
        embedding_size: Length of an embedding.
        scale: Of the cosines; the inverse of the softmax's temperature.
        margin: Can be changed at any time: it is read at each forward pass.
        ignored_pairs: Classes left out of each other's softmax.
        sub_centers: Directions per class; the nearest one counts.
    """

    def __init__(
        self,
        n_classes: int,
        embedding_size: int,
        *,
        scale: float = 30.0,
        margin: float = 0.2,
        ignored_pairs: IgnoredPairs | None = None,
        sub_centers: int = 1,
    ) -> None:
        super().__init__(ignored_pairs)
        self.scale = scale
        self.margin = margin
        self.centers = nn.Parameter(torch.empty(sub_centers, n_classes, embedding_size))
        nn.init.normal_(self.centers, std=embedding_size**-0.5)  # Lengths near one.

    @abstractmethod
    def lowered(self, cosines: Tensor) -> Tensor:
        """Lower the cosines to the own class, shape (B,), by the margin."""

    def logits(self, embeddings: Tensor) -> Tensor:
        """Scaled cosines to the classes without a margin; float32, shape (B, n_classes)."""
        with torch.autocast(embeddings.device.type, enabled=False):
            return self._scaled_cosines(functional.normalize(embeddings.float(), dim=1))

    def of_units(self, units: Tensor, labels: Tensor) -> Tensor:
        logits = self._scaled_cosines(units)
        rows = torch.arange(len(labels), device=labels.device)
        own = logits[rows, labels]  # (B,)
        change = self.scale * self.lowered(own / self.scale) - own
        # In place, since a copy of all logits would cost as much as their softmax. Hidden from autograd,
        # since logits outside a softmax have no gradient anyway.
        if self.ignored_pairs is not None:
            with torch.no_grad():
                logits.scatter_(1, self.ignored_pairs.of(labels), -torch.inf)
                logits[rows, labels] = own  # The list of the ignored ones begins with the own class.
        logits.index_put_((rows, labels), change, accumulate=True)
        return functional.cross_entropy(logits, labels)

    def _scaled_cosines(self, units: Tensor) -> Tensor:
        scaled = self.scale * units  # Scaled here: an embedding is shorter than its logits.
        cosines = [scaled @ center.T for center in functional.normalize(self.centers, dim=2)]
        nearest: Tensor = reduce(torch.maximum, cosines)
        return nearest
