"""Fully connected layers over the vectors of several modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class FusionNetConfig:
    """Args:
    vector_sizes: Length of each modality's vector, in the order of the mask.
    hidden: Nodes of the first layer.
    embedding_size: Nodes of the second layer, and length of the embedding.
    """

    vector_sizes: Mapping[str, int]
    hidden: int = 300
    embedding_size: int = 150


class FusionNet(nn.Module):
    """Concatenation, FC(300), FC(150).

    Source:
        The multimodal paper, feature-level fusion: 300 and 150 nodes did best of those it tried. The mask is
        ours: an absent modality counts as a vector of zeros, and the network knows it.
    """

    def __init__(self, config: FusionNetConfig) -> None:
        super().__init__()
        self.config = config
        features = sum(config.vector_sizes.values()) + len(config.vector_sizes)
        self.layers = nn.Sequential(
            nn.Linear(features, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.embedding_size),
        )

    def forward(self, vectors: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Embed vectors of unit norm, one (B, d) per modality, with a mask (B, n_modalities) of 0 and 1."""
        present = [rows * mask[:, [column]] for column, rows in enumerate(vectors)]
        x = torch.cat([*present, mask], dim=1)  # n × (B, d) → (B, Σd + n)
        embedding: Tensor = self.layers(x)  # → (B, embedding_size)
        return embedding
