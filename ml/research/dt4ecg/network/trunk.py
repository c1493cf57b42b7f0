"""Base of all backbones: from a window to a map of channels over time."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Trunk(nn.Module, ABC):
    """Window → map (B, width, n_steps).

    A backbone without a time axis returns a map of one step, so that the mean over time behind it has no
    effect.

    Args:
        width: Channels of the map.
        stride: Samples of the window per step of the map.
    """

    def __init__(self, *, width: int, stride: int) -> None:
        super().__init__()
        self.width = width
        self.stride = stride

    def n_steps(self, n_samples: int) -> int:
        """Return the steps of the map of a window of `n_samples`; a part of a step counts."""
        return -(-n_samples // self.stride)

    @property
    @abstractmethod
    def last_layer(self) -> nn.Module:
        """The last layer with a weight matrix; not the normalization behind it."""

    @property
    def behind_last(self) -> list[nn.Module]:
        """Modules with weights behind the last layer."""
        return []

    @abstractmethod
    def before_last(self, windows: Tensor) -> tuple[Tensor, ...]:
        """Return the last layer's input for windows (B, n_samples), then what bypasses it."""

    def through_last(self, read: Tensor) -> Tensor:
        """Return the last layer's output."""
        made: Tensor = self.last_layer(read)
        return made

    @abstractmethod
    def after_last(self, made: Tensor, *beside: Tensor) -> Tensor:
        """Return the map, shape (B, width, n_steps), from the last layer's output and what bypassed it."""

    def forward(self, windows: Tensor) -> Tensor:
        """Map windows, float32, shape (B, n_samples), to float32, shape (B, width, n_steps)."""
        read, *beside = self.before_last(windows)
        return self.after_last(self.through_last(read), *beside)
