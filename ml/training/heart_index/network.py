"""The network of the heart index: convolutions over the mean beat, then everything else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.runtime.ecg.signal.heart_features import N_FIGURES, N_SHAPE

CHANNELS, HIDDEN, DROPOUT, KERNEL = 32, 64, 0.2, 7
SHAPE_SCALE, SLOPE_SCALE, FARTHEST = 4.0, 4.0, 6.0


class Scaling(NamedTuple):
    """Means and deviations that the spread and the figures are brought to, float32."""

    spread: tuple[NDArray[np.float32], NDArray[np.float32]]
    figures: tuple[NDArray[np.float32], NDArray[np.float32]]


class HeartNetwork(nn.Module):
    """`shape` (n, N_SHAPE), `spread` (n, N_SHAPE), `figures` (n, N_FIGURES) → log odds (n,).

    Features of the mean beat and of its mirror image are added, so that polarity changes nothing.
    """

    def __init__(self, scaling: Scaling) -> None:
        """Start untrained."""
        super().__init__()
        for name, (mean, deviation) in scaling._asdict().items():
            self.register_buffer(f"{name}_mean", torch.from_numpy(mean))
            self.register_buffer(f"{name}_deviation", torch.from_numpy(deviation))
        widths = [(3, CHANNELS, 1), (CHANNELS, CHANNELS, 2), (CHANNELS, 2 * CHANNELS, 2)]
        widths.append((2 * CHANNELS, 2 * CHANNELS, 2))
        self.beat = nn.Sequential(*(_stage(*width) for width in widths))
        length = -(-N_SHAPE // 8)
        self.all = nn.Sequential(
            nn.Linear(2 * CHANNELS * length + N_FIGURES, HIDDEN), nn.SiLU(), nn.Dropout(DROPOUT)
        )
        self.odds = nn.Linear(HIDDEN, 1)

    def forward(self, shape: Tensor, spread: Tensor, figures: Tensor) -> Tensor:
        """See the class."""
        shape = (SHAPE_SCALE * shape).clamp(-20.0, 20.0)
        spread, figures = self._scaled("spread", spread), self._scaled("figures", figures)
        both = self._read(shape, spread, figures) + self._read(-shape, spread, figures)
        odds: Tensor = self.odds(both).squeeze(1)
        return odds

    def _scaled(self, name: str, values: Tensor) -> Tensor:
        mean, deviation = self.get_buffer(f"{name}_mean"), self.get_buffer(f"{name}_deviation")
        return ((values - mean) / deviation).clamp(-FARTHEST, FARTHEST)

    def _read(self, shape: Tensor, spread: Tensor, figures: Tensor) -> Tensor:
        slope = SLOPE_SCALE * nn.functional.pad(shape[:, 1:] - shape[:, :-1], (0, 1))
        beat = self.beat(torch.stack([shape, slope, spread], 1)).flatten(1)
        read: Tensor = self.all(torch.cat([beat, figures], 1))
        return read


def _stage(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, KERNEL, stride=stride, padding=KERNEL // 2), nn.BatchNorm1d(n_out), nn.SiLU()
    )
