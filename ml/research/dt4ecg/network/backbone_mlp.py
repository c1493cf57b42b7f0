"""MLP: a baseline with a weight for every sample by its place in the window."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ml.research.dt4ecg.network.trunk import Trunk


@dataclass(frozen=True)
class MlpOptions:
    """Args:
    hidden: Units of each layer.

    Raises:
        ValueError: No layer.
    """

    hidden: tuple[int, ...] = (256, 128)

    def __post_init__(self) -> None:
        if not self.hidden:
            raise ValueError("hidden: at least one layer")


class MlpTrunk(Trunk):
    """Fully connected layers with ReLU, over the raw samples of a window of one length."""

    def __init__(self, n_samples: int, options: MlpOptions) -> None:
        super().__init__(width=options.hidden[-1], stride=n_samples)
        self.n_samples = n_samples
        layers: list[nn.Module] = []
        for width_in, width in zip((n_samples, *options.hidden), options.hidden, strict=False):
            layers += [nn.Linear(width_in, width), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    @property
    def last_layer(self) -> nn.Module:
        return self.layers[-2]

    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        """See `Trunk`.

        Raises:
            ValueError: Windows of another length.
        """
        if windows.shape[1] != self.n_samples:
            raise ValueError(f"the MLP is made for {self.n_samples} samples, got {windows.shape[1]}")
        return (self.layers[:-2](windows),)  # (B, T) → (B, C)

    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:  # noqa: ARG002
        mapped: Tensor = self.layers[-1](made)[:, :, None]  # (B, C') → (B, C', 1)
        return mapped
