"""Schedules of the learning rate and of the average of weights over a training."""

from __future__ import annotations

import math

import torch
from torch import nn

from ml.training.network_recipe import OptimizationConfig


def learning_rate(progress: float, config: OptimizationConfig) -> float:
    """Return the rate at a share of the training: linear warm-up, then a half cosine down to `last_rate`."""
    if progress < config.warmup:
        return config.learning_rate * max(progress / config.warmup, 0.01)
    fall = (progress - config.warmup) / (1.0 - config.warmup)
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, fall)))
    return config.learning_rate * (config.last_rate + (1.0 - config.last_rate) * cosine)


class WeightAverage:
    """Moving average of weights and of the statistics of normalization; young averages forget faster."""

    def __init__(self, network: nn.Module, steps: int) -> None:
        self._steps = max(1, steps)
        self._seen = 0
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Add the weights after one more step."""
        self._seen += 1
        share = max(1.0 / self._seen, 1.0 / self._steps)
        for name, value in network.state_dict().items():
            kept = self.state[name]
            if kept.is_floating_point():
                kept.lerp_(value, share)
            else:
                kept.copy_(value)

    def state_dict(self) -> dict[str, object]:
        """Return the state for a checkpoint."""
        return {"seen": self._seen, "state": self.state}

    def load_state_dict(self, kept: dict[str, object]) -> None:
        """Restore from a checkpoint, whose tensors may be on another device."""
        self._seen = int(kept["seen"])  # type: ignore[call-overload]
        for name, value in dict(kept["state"]).items():  # type: ignore[call-overload]
            self.state[name].copy_(value)
