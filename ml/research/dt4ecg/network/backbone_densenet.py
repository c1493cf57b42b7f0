"""1D-DenseNet: every layer reads the outputs of all before it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.convolution import ConvolutionBlock, convolution, rows
from ml.research.dt4ecg.network.trunk import Trunk


@dataclass(frozen=True)
class DenseNetOptions:
    """DenseNet-BC with fewer layers than DenseNet-121's 6, 12, 24 and 16.

    Args:
        stem_width: Channels of the first convolution; it and the max pooling behind it halve the time.
        growth: Channels that each layer adds.
        layers: Layers of each dense block; between blocks, a mean of two halves time and channels.
        kernel: Of the layers' second convolutions, in steps; odd.
        bottleneck: Channels between a layer's two convolutions, in multiples of `growth`.

    Raises:
        ValueError: No block, or one without layers.
    """

    stem_width: int = 32
    growth: int = 16
    layers: tuple[int, ...] = (4, 6, 8)
    kernel: int = 3
    bottleneck: int = 4

    def __post_init__(self) -> None:
        if not self.layers or min(self.layers) < 1:
            raise ValueError(f"layers: at least one block of at least one layer, got {self.layers}")


class DenseNetTrunk(Trunk):
    """A convolution, and dense blocks with transitions between them.

    Source:
        Huang et al. 2017, Densely Connected Convolutional Networks, section 3 and table 1 (DenseNet-BC).
    """

    def __init__(self, options: DenseNetOptions) -> None:
        width = options.stem_width
        layers: list[nn.Module] = [
            ConvolutionBlock(1, width, 7, stride=2),
            nn.MaxPool2d((1, 3), stride=(1, 2), padding=(0, 1)),
        ]
        last: DenseLayer | None = None
        for number, n_layers in enumerate(options.layers):
            if number > 0:
                layers.append(_transition(width, width // 2))
                width //= 2
            for _ in range(n_layers):
                last = DenseLayer(width, options)
                layers.append(last)
                width += options.growth
        assert last is not None
        super().__init__(width=width, stride=4 * 2 ** (len(options.layers) - 1))
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU())
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def last_layer(self) -> nn.Module:
        layer: DenseLayer = self.layers[-3]  # type: ignore[assignment]
        return layer.grow[-1]

    @property
    def behind_last(self) -> list[nn.Module]:
        return [self.layers[-2]]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        layer: DenseLayer = self.layers[-3]  # type: ignore[assignment]
        x = self.layers[:-3](rows(windows))  # (B, T) → (B, C, 1, T/stride)
        return layer.grow[:-1](x), x

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:
        mapped: Tensor = self.layers[-2:](torch.cat([*beside, made], dim=1))[:, :, 0]  # → (B, C', T/stride)
        return mapped


class DenseLayer(nn.Module):
    """Appends `growth` new channels to those it reads."""

    def __init__(self, width_in: int, options: DenseNetOptions) -> None:
        super().__init__()
        inside = options.bottleneck * options.growth
        self.grow = nn.Sequential(
            nn.BatchNorm2d(width_in),
            nn.ReLU(),
            convolution(width_in, inside, 1),
            nn.BatchNorm2d(inside),
            nn.ReLU(),
            convolution(inside, options.growth, options.kernel),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, T) → (B, C + growth, 1, T)."""
        return torch.cat([x, self.grow(x)], dim=1)


def _transition(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(width_in),
        nn.ReLU(),
        convolution(width_in, width, 1),
        nn.AvgPool2d((1, 2), ceil_mode=True),
    )
