"""Base of all metric losses."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.losses.ignored_pairs import IgnoredPairs


class MetricLoss(nn.Module):
    """A loss of the directions of embeddings.

    Works in float32 even under autocast: near 1, bfloat16 resolves cosines in steps of 1/256 only, which a
    scale of 30 turns into steps of 0.1 in the logits.

    Args:
        ignored_pairs: Classes that are neither pulled together nor pushed apart.
    """

    def __init__(self, ignored_pairs: IgnoredPairs | None = None) -> None:
        super().__init__()
        self.ignored_pairs = ignored_pairs

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of a batch.

        Args:
            embeddings: Any float, shape (B, d), of any length.
            labels: int64, shape (B,).

        Returns:
            float32 scalar.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            return self.of_units(functional.normalize(embeddings.float(), dim=1), labels)

    @abstractmethod
    def of_units(self, units: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of unit vectors, float32, shape (B, d)."""

    def same_and_different(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Masks of pairs of one class, except a sample with itself, and of two classes; bool, each (B, B)."""
        same = labels[:, None] == labels
        different = ~same
        if self.ignored_pairs is not None:
            different &= ~self.ignored_pairs(labels)
        return same.fill_diagonal_(False), different
