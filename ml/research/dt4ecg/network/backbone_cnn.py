"""1D-CNN: convolutions and max pooling, the plainest backbone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.convolution import ConvolutionBlock, rows
from ml.research.dt4ecg.network.trunk import Trunk


@dataclass(frozen=True)
class CnnOptions:
    """Args:
    widths: Channels of each convolution; max pooling of two halves the time behind each.
    kernel: Of all convolutions, in steps; odd.

    Raises:
        ValueError: No convolution.
    """

    widths: tuple[int, ...] = (32, 64, 128)
    kernel: int = 5

    def __post_init__(self) -> None:
        if not self.widths:
            raise ValueError("widths: at least one convolution")


class CnnTrunk(Trunk):
    """Three times convolution → batch normalization → ReLU → max pooling of two."""

    def __init__(self, options: CnnOptions) -> None:
        super().__init__(width=options.widths[-1], stride=2 ** len(options.widths))
        layers: list[nn.Module] = []
        for width_in, width in zip((1, *options.widths), options.widths, strict=False):
            layers.append(ConvolutionBlock(width_in, width, options.kernel))
            layers.append(nn.MaxPool2d((1, 2), ceil_mode=True))
        self.layers = nn.Sequential(*layers)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def last_layer(self) -> nn.Module:
        return self._last_block[0]

    @property
    def behind_last(self) -> list[nn.Module]:
        return [self._last_block[1]]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        return (self.layers[:-2](rows(windows)),)  # (B, T) → (B, C, 1, T')

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:  # noqa: ARG002
        mapped: Tensor = self.layers[-1](self._last_block.behind_convolution(made))[
            :, :, 0
        ]  # → (B, C, T/stride)
        return mapped

    @property
    def _last_block(self) -> ConvolutionBlock:
        block: ConvolutionBlock = self.layers[-2]  # type: ignore[assignment]
        return block
