"""1D-MobileNet: convolutions split into one over time and one over channels."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.convolution import ConvolutionBlock, rows
from ml.research.dt4ecg.network.trunk import Trunk


@dataclass(frozen=True)
class MobileNetOptions:
    """The first version at half depth: a window of 300 samples is too short for all of its 13 blocks.

    Args:
        stem_width: Channels of the first convolution, which halves the time.
        widths: Channels of each depthwise separable block.
        strides: Of each block's convolution over time.
        kernel: Of all convolutions over time, in steps; odd.

    Raises:
        ValueError: Widths and strides of different numbers of blocks, or none.
    """

    stem_width: int = 32
    widths: tuple[int, ...] = (64, 128, 128, 256, 256, 256)
    strides: tuple[int, ...] = (1, 2, 1, 2, 1, 1)
    kernel: int = 3

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.strides) or not self.widths:
            raise ValueError(
                f"widths and strides must name the same blocks, got {self.widths}, {self.strides}"
            )


class MobileNetTrunk(Trunk):
    """A convolution and depthwise separable blocks.

    Source:
        Howard et al. 2017, MobileNets, table 1 and figure 3.
    """

    def __init__(self, options: MobileNetOptions) -> None:
        super().__init__(width=options.widths[-1], stride=2 * prod(options.strides))
        self.stem = ConvolutionBlock(1, options.stem_width, options.kernel, stride=2)
        widths_in = (options.stem_width, *options.widths[:-1])
        self.blocks = nn.Sequential(
            *(
                separable_block(width_in, width, options.kernel, stride=stride)
                for width_in, width, stride in zip(widths_in, options.widths, options.strides, strict=True)
            )
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def last_layer(self) -> nn.Module:
        return self._last_block[1][0]

    @property
    def behind_last(self) -> list[nn.Module]:
        return [self._last_block[1][1]]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        x = self.blocks[:-1](self.stem(rows(windows)))  # (B, T) → (B, C, 1, T/stride)
        return (self._last_block[0](x),)

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:  # noqa: ARG002
        return self._last_block[1].behind_convolution(made)[:, :, 0]  # → (B, C', T/stride)

    @property
    def _last_block(self) -> tuple[ConvolutionBlock, ConvolutionBlock]:
        block: nn.Sequential = self.blocks[-1]  # type: ignore[assignment]
        return block[0], block[1]  # type: ignore[return-value]


def separable_block(width_in: int, width: int, kernel: int, *, stride: int) -> nn.Sequential:
    """Convolve each channel over time, then all channels at each step: (B, C, 1, T) → (B, C', 1, T/s)."""
    return nn.Sequential(
        ConvolutionBlock(width_in, width_in, kernel, stride=stride, groups=width_in),
        ConvolutionBlock(width_in, width, 1),
    )
