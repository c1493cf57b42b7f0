"""A small residual network over the mean beat of a strip."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.models.features import Features
from ml.models.resnet1d import ResidualBlock

# Scale of slope and curvature relative to the shape, so that all three channels vary alike at 125 Hz.
SLOPE_GAIN = 3.0
CURVATURE_GAIN = 6.0


@dataclass(frozen=True)
class BeatNetConfig:
    """Args:
    n_samples: Length of the mean beat.
    widths: Channels of each stage; each stage halves the time.
    kernel: Of all convolutions, in samples; odd.
    embedding_size: Length of the embedding.
    dropout: Before the last projection.
    """

    n_samples: int = 88
    widths: tuple[int, ...] = (64, 128, 192)
    kernel: int = 5
    embedding_size: int = 128
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError("kernel must be odd")


class BeatNet(nn.Module):
    """Mean beat → embedding.

    The last projection reads every moment of the beat separately: beats are aligned, so that both the shape
    of a wave and its timing identify people.
    """

    def __init__(self, config: BeatNetConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding_size = config.embedding_size
        first = config.widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, (1, 7), padding=(0, 3), bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        )
        widths = (first, *config.widths)
        self.stages = nn.ModuleList(
            ResidualBlock(width_in, width, config.kernel, 2, 0)
            for width_in, width in zip(widths, config.widths, strict=False)
        )
        n_left = config.n_samples
        for _ in config.widths:
            n_left = (n_left + 1) // 2
        features = config.widths[-1] * n_left
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.BatchNorm1d(features),
            nn.Dropout(config.dropout),
            nn.Linear(features, config.embedding_size),
            nn.BatchNorm1d(config.embedding_size),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, beats: Tensor) -> Features:
        """Embed beats; standardized, float32, shape (B, n_samples)."""
        slope = functional.pad(beats[:, 1:] - beats[:, :-1], (0, 1))
        curvature = functional.pad(slope[:, 1:] - slope[:, :-1], (0, 1))
        x = torch.stack([beats, SLOPE_GAIN * slope, CURVATURE_GAIN * curvature], dim=1)  # (B, T) → (B, 3, T)
        x = self.stem(x[:, :, None].contiguous(memory_format=torch.channels_last))
        maps = []
        for stage in self.stages:
            x = stage(x)  # (B, C, 1, T) → (B, C', 1, T/2)
            maps.append(x[:, :, 0])
        return Features(embedding=self.head(x), stages=tuple(maps))
