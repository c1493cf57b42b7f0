"""Weights from each task's uncertainty, learned with the network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive


class Uncertainty(TaskBalancer):
    """Weight exp(−s) of a task whose log-variance s is learned: s minimizes exp(−s)·loss + s/2.

    At the optimum a weight is 1 / (2 · loss), so that a task with large losses counts less.

    Args:
        n_tasks: Losses per step.
        learning_rate: Of the rule's own Adam for the log-variances.

    Raises:
        ValueError: A learning rate that is not above 0.

    Source:
        Kendall et al. 2018, "Multi-task learning using uncertainty to weigh losses", equation 10, for
        classification; s = log σ².
    """

    looks_at_gradients = False

    def __init__(self, n_tasks: int, *, learning_rate: float = 1e-3) -> None:
        super().__init__(n_tasks)
        require_positive(learning_rate=learning_rate)
        self.log_variances = nn.Parameter(torch.zeros(n_tasks, dtype=torch.float64))
        self._optimizer = torch.optim.Adam([self.log_variances], lr=learning_rate)
        self._losses: Tensor | None = None

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:  # noqa: ARG002
        self._losses = losses.detach().to("cpu", torch.float64)
        return torch.exp(-self.log_variances.detach())

    def after_backward(self) -> None:
        if self._losses is None:
            return
        self.log_variances.grad = 0.5 - torch.exp(-self.log_variances.detach()) * self._losses
        self._optimizer.step()
        self._losses = None

    def get_extra_state(self) -> dict[str, Any]:
        return self._optimizer.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state)
