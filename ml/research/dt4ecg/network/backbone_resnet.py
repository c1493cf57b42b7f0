"""1D-ResNet: the backbone proposed in the paper, a convolution and three residual modules."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.convolution import ConvolutionBlock, convolution, rows
from ml.research.dt4ecg.network.options import check_choice
from ml.research.dt4ecg.network.trunk import Trunk

ADDITIONS = ("before_relu", "after_relu")


@dataclass(frozen=True)
class ResNetOptions:
    """Choices that the paper leaves open.

    Args:
        stem_width: Channels of the first convolution.
        stem_kernel: Its kernel, in samples; odd.
        stem_stride: Its stride, in samples.
        widths: Channels of the residual modules.
        strides: Of each module's first convolution.
        kernel: Of the modules' convolutions, in steps; odd.
        addition: `before_relu` adds the input to the normalized second convolution, as He et al. do, whom the
            paper follows; `after_relu` takes its section III-A literally: each convolution "followed by
            batch normalization and ReLU", then the addition.

    Raises:
        ValueError: Widths and strides of different numbers of modules, or an unknown addition.
    """

    stem_width: int = 64
    stem_kernel: int = 7
    stem_stride: int = 1
    widths: tuple[int, ...] = (64, 128, 128)
    strides: tuple[int, ...] = (2, 2, 2)
    kernel: int = 3
    addition: str = "before_relu"

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.strides) or not self.widths:
            raise ValueError(
                f"widths and strides must name the same modules, got {self.widths}, {self.strides}"
            )
        check_choice("addition", self.addition, ADDITIONS)


class ResNetTrunk(Trunk):
    """An initial convolution followed by three residual modules.

    Source:
        You et al., DT4ECG, sections III-A and III-D, figures 3 and 5; He et al. 2016, figure 2.
    """

    def __init__(self, options: ResNetOptions) -> None:
        super().__init__(width=options.widths[-1], stride=options.stem_stride * prod(options.strides))
        self.stem = ConvolutionBlock(1, options.stem_width, options.stem_kernel, stride=options.stem_stride)
        widths_in = (options.stem_width, *options.widths[:-1])
        self.residual_modules = nn.Sequential(
            *(
                ResidualModule(width_in, width, options.kernel, stride=stride, addition=options.addition)
                for width_in, width, stride in zip(widths_in, options.widths, options.strides, strict=True)
            )
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def last_layer(self) -> nn.Module:
        return self._last_module.second

    @property
    def behind_last(self) -> list[nn.Module]:
        return [self._last_module.second_norm]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(rows(windows))  # (B, T) → (B, C, 1, T/s)
        x = self.residual_modules[:-1](x)
        return self._last_module.before_second(x)

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:
        return self._last_module.after_second(made, *beside)[:, :, 0]  # → (B, C', T/stride)

    @property
    def _last_module(self) -> ResidualModule:
        last: ResidualModule = self.residual_modules[-1]  # type: ignore[assignment]
        return last


class ResidualModule(nn.Module):
    """Two convolutions, and the input added to the second."""

    def __init__(self, width_in: int, width: int, kernel: int, *, stride: int, addition: str) -> None:
        super().__init__()
        self.addition = addition
        self.first = ConvolutionBlock(width_in, width, kernel, stride=stride)
        self.second = convolution(width, width, kernel)
        self.second_norm = nn.BatchNorm2d(width)
        # "Direct addition of the input signal" needs an input of the output's shape; where a module changes
        # it, a 1×1 convolution does the same to the input (He et al. 2016, option B).
        self.shortcut = (
            nn.Identity()
            if stride == 1 and width_in == width
            else nn.Sequential(convolution(width_in, width, 1, stride=stride), nn.BatchNorm2d(width))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, T) → (B, C', 1, ⌈T/stride⌉)."""
        read, beside = self.before_second(x)
        return self.after_second(self.second(read), beside)

    def before_second(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the second convolution's input, and the shortcut."""
        return self.first(x), self.shortcut(x)

    def after_second(self, made: Tensor, beside: Tensor) -> Tensor:
        """Normalize the second convolution's output, and add the shortcut."""
        path = self.second_norm(made)
        if self.addition == "after_relu":
            out: Tensor = torch.relu(path) + beside
        else:
            out = torch.relu(path + beside)
        return out
