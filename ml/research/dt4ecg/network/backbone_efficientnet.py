"""1D-EfficientNet: inverted bottlenecks with squeeze and excitation."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.attention_se import SqueezeExcitation
from ml.research.dt4ecg.network.convolution import ConvolutionBlock, convolution, rows
from ml.research.dt4ecg.network.trunk import Trunk


@dataclass(frozen=True)
class EfficientNetOptions:
    """The first four stages of B0 with fewer repeats: 300 samples can be halved four times.

    Args:
        stem_width: Channels of the first convolution, which halves the time.
        widths: Channels of each stage.
        repeats: Blocks of each stage.
        strides: Of the first block of each stage.
        kernels: Of each stage's convolutions over time, in steps; odd.
        expansions: Ratio of inner to outer width, per stage.
        head_width: Channels of the last convolution.

    Raises:
        ValueError: Stages that disagree, or none.
    """

    stem_width: int = 32
    widths: tuple[int, ...] = (16, 24, 40, 80)
    repeats: tuple[int, ...] = (1, 1, 2, 2)
    strides: tuple[int, ...] = (1, 2, 2, 2)
    kernels: tuple[int, ...] = (3, 3, 5, 3)
    expansions: tuple[int, ...] = (1, 6, 6, 6)
    head_width: int = 256

    def __post_init__(self) -> None:
        stages = (self.widths, self.repeats, self.strides, self.kernels, self.expansions)
        if len({len(stage) for stage in stages}) != 1 or not self.widths:
            raise ValueError("widths, repeats, strides, kernels and expansions must name the same stages")


class EfficientNetTrunk(Trunk):
    """A convolution, stages of inverted bottlenecks, a convolution of kernel 1.

    The blocks' own squeeze and excitation belong to this backbone and stay, whatever attention follows.

    Source:
        Tan and Le 2019, EfficientNet, table 1; Sandler et al. 2018, MobileNetV2, figure 4.
    """

    def __init__(self, options: EfficientNetOptions) -> None:
        super().__init__(width=options.head_width, stride=2 * prod(options.strides))
        self.stem = ConvolutionBlock(1, options.stem_width, 3, stride=2, activation=nn.SiLU)
        self.blocks = nn.Sequential(*_blocks(options))
        self.head = ConvolutionBlock(options.widths[-1], options.head_width, 1, activation=nn.SiLU)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def last_layer(self) -> nn.Module:
        return self.head[0]

    @property
    def behind_last(self) -> list[nn.Module]:
        return [self.head[1]]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        return (self.blocks(self.stem(rows(windows))),)  # (B, T) → (B, C, 1, T/stride)

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:  # noqa: ARG002
        mapped: Tensor = self.head.behind_convolution(made)[
            :, :, 0
        ]  # (B, C', 1, T/stride) → (B, C', T/stride)
        return mapped


class InvertedBottleneck(nn.Module):
    """Widen → convolve over time → weigh channels → narrow, with a shortcut if shapes agree.

    Args:
        width_in: Input channels.
        width: Output channels.
        kernel: Of the convolution over time, in steps; odd.
        stride: Of the same.
        expansion: Ratio of inner to outer width.
    """

    def __init__(self, width_in: int, width: int, kernel: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        inside = width_in * expansion
        self.widen = (
            nn.Identity() if expansion == 1 else ConvolutionBlock(width_in, inside, 1, activation=nn.SiLU)
        )
        self.over_time = ConvolutionBlock(
            inside, inside, kernel, stride=stride, groups=inside, activation=nn.SiLU
        )
        # A quarter of the input channels, not of the inner ones (Tan and Le's released code).
        self.squeeze = SqueezeExcitation(inside, max(1, width_in // 4), nn.SiLU)
        self.narrow = nn.Sequential(convolution(inside, width, 1), nn.BatchNorm2d(width))
        self.keeps_shape = stride == 1 and width_in == width

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, T) → (B, C', 1, ⌈T/stride⌉)."""
        out: Tensor = self.narrow(self.squeeze(self.over_time(self.widen(x))))
        return x + out if self.keeps_shape else out


def _blocks(options: EfficientNetOptions) -> list[InvertedBottleneck]:
    blocks, width_in = [], options.stem_width
    for width, repeats, stride, kernel, expansion in zip(
        options.widths, options.repeats, options.strides, options.kernels, options.expansions, strict=True
    ):
        for number in range(repeats):
            first_stride = stride if number == 0 else 1
            blocks.append(
                InvertedBottleneck(width_in, width, kernel, stride=first_stride, expansion=expansion)
            )
            width_in = width
    return blocks
