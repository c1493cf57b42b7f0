"""GradNorm: gradients of a common size, larger for the task that has learned less."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive

SMALLEST_WEIGHT = 1e-3
"""Finite steps may overshoot 0, and a negative weight would reverse learning."""

_OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


class GradNorm(TaskBalancer):
    """Weights move so that each weighted gradient norm nears mean norm × r ^ asymmetry.

    r is a task's loss over its first loss, relative to the mean over the tasks: large for slow tasks. The
    network uses the weights as they are; they are updated after `backward`, and then scaled to a sum of the
    number of tasks again.

    Args:
        n_tasks: Losses per step.
        asymmetry: α in the source; 0 makes all norms equal.
        learning_rate: Of the rule's own optimizer for the weights.
        optimizer: `adam` or `sgd`.
        initial_losses: Divisors of the losses, such as the logarithm of the number of classes; by default the
            losses of the first call, as in the source.

    Raises:
        ValueError: Options out of range.

    Source:
        Chen et al. 2018, "GradNorm: gradient normalization for adaptive loss balancing in deep multitask
        networks", equations 1 and 2 and algorithm 1. The paper leaves the optimizer open.
    """

    def __init__(
        self,
        n_tasks: int,
        *,
        asymmetry: float = 1.5,
        learning_rate: float = 0.025,
        optimizer: str = "adam",
        initial_losses: Sequence[float] | None = None,
    ) -> None:
        super().__init__(n_tasks)
        require_positive(learning_rate=learning_rate)
        if asymmetry < 0.0:
            raise ValueError(f"asymmetry: expected 0 or more, got {asymmetry}")
        if optimizer not in _OPTIMIZERS:
            raise ValueError(f"optimizer: expected one of {sorted(_OPTIMIZERS)}, got {optimizer!r}")
        self.asymmetry = asymmetry
        self.task_weights = nn.Parameter(torch.ones(n_tasks, dtype=torch.float64))
        self._optimizer = _OPTIMIZERS[optimizer]([self.task_weights], lr=learning_rate)
        self.initial_losses: Tensor
        self.register_buffer("initial_losses", _initial(n_tasks, initial_losses))
        self._gradient: Tensor | None = None

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:
        now = losses.detach().to("cpu", torch.float64)
        if bool(self.initial_losses.isnan().any()):
            self.initial_losses.copy_(now)
        self._gradient = self._gradient_of_weights(norms, now)
        return self.task_weights.detach().clone()

    def _gradient_of_weights(self, norms: Tensor, losses: Tensor) -> Tensor:
        """Slope of Σ |weighted norm − target| in each weight; targets are constant."""
        weighted = self.task_weights.detach() * norms
        learned = losses / self.initial_losses
        target = weighted.mean() * (learned / learned.mean()) ** self.asymmetry
        return torch.sign(weighted - target) * norms

    def after_backward(self) -> None:
        if self._gradient is None:
            return
        self.task_weights.grad = self._gradient
        self._optimizer.step()
        with torch.no_grad():
            self.task_weights.clamp_(min=SMALLEST_WEIGHT)
            self.task_weights.mul_(self.n_tasks / self.task_weights.sum())
        self._gradient = None

    def get_extra_state(self) -> dict[str, Any]:
        return self._optimizer.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state)


def _initial(n_tasks: int, given: Sequence[float] | None) -> Tensor:
    """NaN until the first call."""
    if given is None:
        return torch.full((n_tasks,), torch.nan, dtype=torch.float64)
    if len(given) != n_tasks:
        raise ValueError(f"initial_losses: expected {n_tasks}, got {len(given)}")
    require_positive(initial_losses=min(given))
    return torch.tensor(list(given), dtype=torch.float64)
