"""Convolutions over time, for stacking in backbones.

Time is the last axis of two-dimensional convolutions one row high: in channels-last memory order they run up
to twice as fast on a CPU as one-dimensional ones, and depthwise ones up to sixty times.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def convolution(width_in: int, width: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution that keeps the time, or divides it by `stride` and rounds up; no bias.

    Raises:
        ValueError: An even kernel, which would shift the map by half a sample.
    """
    if kernel % 2 == 0:
        raise ValueError(f"kernel: expected an odd number of samples, got {kernel}")
    layer = nn.Conv2d if groups == 1 else ExactConvolution
    return layer(
        width_in,
        width,
        (1, kernel),
        stride=(1, stride),
        padding=(0, kernel // 2),
        groups=groups,
        bias=False,
    )


class ExactConvolution(nn.Conv2d):
    """Never rounded to bfloat16: CPUs take 3 to 10 times longer for gradients of many grouped ones then."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class ConvolutionBlock(nn.Sequential):
    """Convolution → batch normalization → activation; (B, C, 1, T) → (B, C', 1, ⌈T/stride⌉)."""

    def __init__(
        self,
        width_in: int,
        width: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__(
            convolution(width_in, width, kernel, stride=stride, groups=groups),
            nn.BatchNorm2d(width),
            activation(),
        )

    def behind_convolution(self, made: Tensor) -> Tensor:
        """Normalize and activate the convolution's output."""
        _, norm, activation = self
        normal: Tensor = activation(norm(made))
        return normal


def rows(windows: Tensor) -> Tensor:
    """Return windows (B, T) as input of convolutions: (B, 1, 1, T), channels last."""
    return windows[:, None, None, :].contiguous(memory_format=torch.channels_last)
