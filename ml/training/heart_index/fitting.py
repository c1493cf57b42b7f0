"""Fit the network of the heart index to two classes of strips, and write it as an ONNX file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from ml.export.traced_network import traced_network
from ml.runtime.ecg.signal.heart_features import N_FIGURES, N_SHAPE
from ml.training.heart_index.material import Material, joined
from ml.training.heart_index.network import HeartNetwork, Scaling

EPOCHS, BATCH, RATE, DECAY = 16, 256, 4e-3, 1e-2
NOISE, SHIFT = 0.01, 1
CERTAIN = 0.999
"""Of a heart; nothing is certain, so that no weight grows without end."""
_SMALLEST_DEVIATION = 1e-3


class Inputs(NamedTuple):
    """What the network reads, float32."""

    shape: Tensor
    spread: Tensor
    figures: Tensor

    @classmethod
    def of(cls, material: Material) -> Inputs:
        """All strips of a material."""
        return cls(*map(torch.from_numpy, (material.shape, material.spread, material.figures)))

    def at(self, rows: Tensor) -> Inputs:
        """Some strips."""
        return Inputs(*(part[rows] for part in self))

    def varied(self) -> Inputs:
        """The mean beats with noise, and a sample earlier or later."""
        noise = NOISE * torch.randn_like(self.shape) * torch.rand(len(self.shape), 1)
        shift = int(torch.randint(-SHIFT, SHIFT + 1, (1,)))
        return Inputs(
            torch.roll(self.shape + noise, shift, 1), torch.roll(self.spread, shift, 1), self.figures
        )


def fit(hearts: Material, others: Material, *, seed: int = 0, epochs: int = EPOCHS) -> HeartNetwork:
    """Fit the network.

    Args:
        hearts: Strips that hold one.
        others: Strips that hold none.
        seed: Of weights, order and noise.
        epochs: How often everything is seen.
    """
    torch.manual_seed(seed)
    everything = joined([hearts, others])
    inputs = Inputs.of(everything)
    wanted = torch.full((len(everything.numbers),), 1.0 - CERTAIN)
    wanted[: len(hearts.numbers)] = CERTAIN
    network = HeartNetwork(Scaling(_scale(everything.spread), _scale(everything.figures)))
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    steps = wanted.numel() // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs * steps)
    loss_of = nn.BCEWithLogitsLoss()
    for _ in track(range(epochs), "fitting"):
        order = torch.randperm(wanted.numel())
        for step in range(steps):
            some = order[step * BATCH : (step + 1) * BATCH]
            loss = loss_of(network(*inputs.at(some).varied()), wanted[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def index_of(network: HeartNetwork, material: Material) -> NDArray[np.float32]:
    """Log odds of every strip, shape (n,)."""
    with torch.no_grad():
        return np.asarray(network(*Inputs.of(material)).numpy())


def exported(network: HeartNetwork) -> bytes:
    """The network as an ONNX file."""
    example = {"shape": N_SHAPE, "spread": N_SHAPE, "figures": N_FIGURES}
    return traced_network(network, {name: torch.zeros(1, n) for name, n in example.items()}, "index")


def _scale(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    deviation = np.maximum(values.std(axis=0), _SMALLEST_DEVIATION)
    return values.mean(axis=0), deviation
