"""Fixed weights: the baseline of all other rules."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive


class Static(TaskBalancer):
    """The sum of the losses, each times a constant.

    Args:
        n_tasks: Losses per step.
        task_weights: One per task; by default 1 each.

    Raises:
        ValueError: A different number of weights and tasks, or one that is not above 0.

    Source:
        Kurin et al. 2022, "In defense of the unitary scalarization for deep multi-task learning": with the
        usual regularization no optimizer of several tasks did better.
    """

    looks_at_gradients = False

    def __init__(self, n_tasks: int, *, task_weights: Sequence[float] | None = None) -> None:
        super().__init__(n_tasks)
        given = [1.0] * n_tasks if task_weights is None else list(task_weights)
        if len(given) != n_tasks:
            raise ValueError(f"task_weights: expected {n_tasks}, got {len(given)}")
        require_positive(task_weights=min(given))
        self._fixed = torch.tensor(given, dtype=torch.float64)

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:  # noqa: ARG002
        return self._fixed
