"""Sequence Channel Attention: weights for channels and moments.

Source:
    You et al., DT4ECG, section III-B, equations 1 to 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.options import check_choice

CHANNEL_CONVOLUTIONS = ("bottleneck", "single", "across_channels")


@dataclass(frozen=True)
class ScaOptions:
    """Choices for equation 1, which names "a series of convolutional layers" and no more.

    Args:
        channel_convolutions: `bottleneck`: two of kernel 1 with a ReLU between, C → C/reduction → C;
            `single`: one of kernel 1, C → C; `across_channels`: one that slides over the channels. Over one
            step a convolution of kernel 1 is a linear layer, and is computed as such.
        reduction: Of the bottleneck; as in squeeze and excitation, so that only moments differ.
        channel_kernel: Of `across_channels`, in channels; odd.
    """

    channel_convolutions: str = "bottleneck"
    reduction: int = 16
    channel_kernel: int = 3

    def __post_init__(self) -> None:
        check_choice("channel_convolutions", self.channel_convolutions, CHANNEL_CONVOLUTIONS)


@dataclass(frozen=True)
class LengthFreeScaOptions(ScaOptions):
    """As `ScaOptions`, and the reach of a moment.

    Args:
        step_kernel: Steps of the map that weigh the one in their middle; odd.
    """

    step_kernel: int = 31


class SequenceChannelAttention(nn.Module):
    """X ∈ (B, C, T) → X · α · β, with α ∈ (B, C, 1) and β ∈ (B, 1, T).

    Equation 4 passes the mean over channels of all T steps through one fully connected layer T → T, so this
    module reads maps of one length.

    Args:
        width: C.
        n_steps: T.
        options: Of equation 1.

    Source:
        You et al., DT4ECG, equations 1 to 7.
    """

    def __init__(self, width: int, n_steps: int, options: ScaOptions) -> None:
        super().__init__()
        self.n_steps = n_steps
        self.channel_scores = _channel_scores(width, options)
        self.step_scores = nn.Linear(n_steps, n_steps)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → same.

        Raises:
            ValueError: A map of another length.
        """
        if x.shape[2] != self.n_steps:
            raise ValueError(f"SCA is made for {self.n_steps} steps, got {x.shape[2]}")
        x = _weigh_channels(x, self.channel_scores)
        scores = self.step_scores(x.mean(dim=1, keepdim=True))  # (4): (B, C, T) → (B, 1, T)
        return x * torch.sigmoid(scores)  # (5), (6), (7)


class LengthFreeSequenceChannelAttention(nn.Module):
    """SCA for maps of any length.

    The fully connected layer T → T has a weight for every pair of moments. Here pairs of equal distance share
    one, and distant pairs have none: equation 4's matrix is Toeplitz and banded, a convolution.

    Args:
        width: C.
        options: Of equation 1, and the reach of equation 4.
    """

    def __init__(self, width: int, options: LengthFreeScaOptions) -> None:
        super().__init__()
        self.channel_scores = _channel_scores(width, options)
        self.step_scores = nn.Conv1d(1, 1, _odd(options.step_kernel), padding=options.step_kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → same."""
        x = _weigh_channels(x, self.channel_scores)
        scores = self.step_scores(x.mean(dim=1, keepdim=True))  # (B, C, T) → (B, 1, T)
        return x * torch.sigmoid(scores)


class _AcrossChannels(nn.Module):
    """A convolution along the channels (B, C), as in Wang et al. 2020 (ECA-Net)."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 1, _odd(kernel), padding=kernel // 2)

    def forward(self, pooled: Tensor) -> Tensor:
        scores: Tensor = self.convolution(pooled[:, None])[:, 0]
        return scores


def _weigh_channels(x: Tensor, scores: nn.Module) -> Tensor:
    pooled = x.mean(dim=2)  # (B, C, T) → (B, C)
    return x * torch.sigmoid(scores(pooled))[:, :, None]  # (1), (2), (3)


def _channel_scores(width: int, options: ScaOptions) -> nn.Module:
    if options.channel_convolutions == "across_channels":
        return _AcrossChannels(options.channel_kernel)
    if options.channel_convolutions == "single":
        return nn.Linear(width, width)
    hidden = max(1, width // options.reduction)
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError(f"kernel: expected an odd number, got {kernel}")
    return kernel
