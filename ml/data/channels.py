"""Random measuring channels: effects of sensors, input stages and filters on the same heart."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

# Corners of the low and the high shelf.
LOW_SHELF_HZ = (0.8, 4.0)
HIGH_SHELF_HZ = (8.0, 25.0)


class ChannelConfig(Protocol):
    """Range of the channels; see `AugmentationConfig`."""

    @property
    def equaliser_db(self) -> float: ...
    @property
    def high_pass_share(self) -> float: ...
    @property
    def high_pass_hz(self) -> tuple[float, float]: ...
    @property
    def low_pass_share(self) -> float: ...
    @property
    def low_pass_hz(self) -> tuple[float, float]: ...


def random_channels(
    n: int, frequency_hz: Tensor, config: ChannelConfig, generator: torch.Generator
) -> Tensor:
    """Draw responses: two first-order shelves, for some a first-order high-pass, for some a low-pass.

    Args:
        n: Number of channels.
        frequency_hz: Of the bins, shape (n_bins,).
        config: Range of the channels.
        generator: Source of all draws.

    Returns:
        complex64, shape (n, n_bins).
    """
    hz = frequency_hz
    response = torch.ones(n, len(hz), dtype=torch.complex64)
    if config.equaliser_db > 0.0:
        for limits_hz in (LOW_SHELF_HZ, HIGH_SHELF_HZ):
            ratio = 1j * hz / _corner(n, limits_hz, generator)
            decibel = between(n, -config.equaliser_db, config.equaliser_db, generator)
            response = response * (1.0 + 10.0 ** (decibel / 20.0) * ratio) / (1.0 + ratio)
    if config.high_pass_share > 0.0:
        stage = 1j * hz / (1j * hz + _corner(n, config.high_pass_hz, generator))
        response = response * _for_some(n, config.high_pass_share, stage, generator)
    if config.low_pass_share > 0.0:
        stage = 1.0 / (1.0 + 1j * hz / _corner(n, config.low_pass_hz, generator)) ** 2
        response = response * _for_some(n, config.low_pass_share, stage, generator)
    return response


def between(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw uniformly; float32, shape (n, 1)."""
    return low + (high - low) * torch.rand(n, 1, generator=generator)


def _for_some(n: int, share: float, stage: Tensor, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(n, 1, generator=generator) < share
    return torch.where(chosen, stage, torch.ones(()))


def _corner(n: int, limits_hz: tuple[float, float], generator: torch.Generator) -> Tensor:
    low, high = limits_hz
    return torch.exp(between(n, math.log(low), math.log(high), generator))
