"""Convolutional block attention: weights for channels, then for moments."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class CbamOptions:
    """Args:
    reduction: Channels per hidden unit; 16 is that of Woo et al.
    kernel: Of the convolution over time, in steps; odd; 7 is that of Woo et al.

    Raises:
        ValueError: An even kernel.
    """

    reduction: int = 16
    kernel: int = 7

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd number of steps, got {self.kernel}")


class ConvolutionalBlockAttention(nn.Module):
    """X′ = X · σ(MLP(mean over time) + MLP(maximum over time)), X″ = X′ · σ(f(mean, maximum over channels)).

    One MLP serves mean and maximum. Where Woo et al. convolve 7 × 7 pixels, f convolves 7 steps.

    Args:
        width: C.
        options: Sizes.

    Source:
        Woo et al. 2018, CBAM, equations 1 to 3.
    """

    def __init__(self, width: int, options: CbamOptions) -> None:
        super().__init__()
        hidden = max(1, width // options.reduction)
        self.channel_scores = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.step_scores = nn.Conv1d(2, 1, options.kernel, padding=options.kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → same."""
        scores = self.channel_scores(x.mean(dim=2)) + self.channel_scores(x.amax(dim=2))  # (B, C)
        x = x * torch.sigmoid(scores)[:, :, None]
        pooled = torch.stack([x.mean(dim=1), x.amax(dim=1)], dim=1)  # (B, C, T) → (B, 2, T)
        return x * torch.sigmoid(self.step_scores(pooled))
