"""LSTM: a baseline that reads the window sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ml.research.dt4ecg.network.options import check_choice
from ml.research.dt4ecg.network.trunk import Trunk

READS = ("last", "mean")


@dataclass(frozen=True)
class LstmOptions:
    """Args:
    hidden: Units of each layer.
    layers: Number of layers.
    read: Input of the heads: the last layer's `last` state, or the `mean` of all of them.

    Raises:
        ValueError: No layer, or an unknown `read`.
    """

    hidden: int = 64
    layers: int = 2
    read: str = "last"

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise ValueError(f"layers: expected at least 1, got {self.layers}")
        check_choice("read", self.read, READS)


class LstmTrunk(Trunk):
    """Long short-term memory over raw samples.

    Source:
        Hochreiter and Schmidhuber 1997, with Gers et al.'s forget gates (torch.nn.LSTM).
    """

    def __init__(self, options: LstmOptions) -> None:
        super().__init__(width=options.hidden, stride=1)
        self.read = options.read
        # One module per layer, so that the last one's weights can be named.
        self.layers = nn.ModuleList(
            nn.LSTM(1 if number == 0 else options.hidden, options.hidden, batch_first=True)
            for number in range(options.layers)
        )

    def n_steps(self, n_samples: int) -> int:
        return n_samples if self.read == "mean" else 1

    @property
    def last_layer(self) -> nn.Module:
        return self.layers[-1]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        x = windows[:, :, None]  # (B, T) → (B, T, 1)
        for layer in self.layers[:-1]:
            x, _ = layer(x)  # → (B, T, C)
        return (x,)

    def through_last(self, read: Tensor) -> Tensor:
        states: Tensor = self.last_layer(read)[0]
        return states

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:  # noqa: ARG002
        states = made.transpose(1, 2)  # (B, T, C) → (B, C, T)
        return states if self.read == "mean" else states[:, :, -1:]
