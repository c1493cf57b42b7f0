"""Adam and AdamW over all weights of a network as one vector: one update instead of one per layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_ALIGNED = 16
"""Numbers between the starts of two weights: 64 bytes, for vector instructions."""


class FlatAdam:
    """`torch.optim.AdamW`, to rounding, without its cost per weight, which is a tenth of a step of DenseNet.

    Weights become parts of one vector, and so do their gradients, which start at 0.

    Args:
        parameters: Dense, float32, in any memory format, which stays.
        weight_decay: Decoupled; 0 gives Adam.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, weight_decay: float = 0.0) -> None:
        self._parameters = list(parameters)
        starts, n = [], 0
        for parameter in self._parameters:
            starts.append(n)
            n += -(-parameter.numel() // _ALIGNED) * _ALIGNED
        self._flat = nn.Parameter(torch.zeros(n))
        self._flat.grad = torch.zeros(n)
        for parameter, start in zip(self._parameters, starts, strict=True):
            weight = _part(self._flat.data, parameter, start)
            weight.copy_(parameter.data)
            parameter.data = weight
            parameter.grad = _part(self._flat.grad, parameter, start)
        self._adam = torch.optim.AdamW([self._flat], weight_decay=weight_decay, fused=True)

    def zero_grad(self) -> None:
        """Set all gradients to 0, in place."""
        assert self._flat.grad is not None
        self._flat.grad.zero_()

    def step(self, learning_rate: float) -> None:
        """Update the weights."""
        self._adam.param_groups[0]["lr"] = learning_rate
        self._adam.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizer's state; the weights belong to the network."""
        return self._adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of another one."""
        self._adam.load_state_dict(state)


def _part(flat: Tensor, like: Tensor, start: int) -> Tensor:
    """A part of a vector in the shape and memory order of a weight."""
    return flat.as_strided(like.shape, like.stride(), start)
