"""Squeeze and excitation: weights for channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class SeOptions:
    """Args:
    reduction: Channels per hidden unit; 16 is that of Hu et al.
    """

    reduction: int = 16


class SqueezeExcitation(nn.Module):
    """X · σ(W₂ ReLU(W₁ mean of X over time)).

    Args:
        width: C.
        hidden: Units between the two layers.
        activation: Of the hidden units.

    Source:
        Hu et al. 2018, Squeeze-and-Excitation Networks, equations 2 to 4.
    """

    def __init__(self, width: int, hidden: int, activation: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(width, hidden), activation(), nn.Linear(hidden, width), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) or (B, C, 1, T) → same."""
        gate: Tensor = self.gate(x.flatten(2).mean(dim=2)).to(x.dtype)  # → (B, C)
        return x * gate.reshape(*gate.shape, *(1 for _ in range(x.ndim - 2)))


def make_squeeze_excitation(width: int, options: SeOptions) -> SqueezeExcitation:
    """Return a module with at least one hidden unit, however narrow the map."""
    return SqueezeExcitation(width, max(1, width // options.reduction))
