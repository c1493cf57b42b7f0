"""DT4ECG's rule with normalized, bounded weights that change by epochs, not by steps."""

from __future__ import annotations

import torch
from torch import Tensor

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive, shares


class Dt4ecgRenorm(TaskBalancer):
    """w ← w · exp(step_size / steps_per_epoch · p), then to a sum of M with no weight below a floor.

    p is a task's share of the gradient norms, averaged over steps. The sum makes the −1 of the printed rule
    redundant. As printed, the task with the larger gradient gains.

    Args:
        n_tasks: Losses per step.
        step_size: Per epoch; α in the source.
        steps_per_epoch: Divides it; 122 batches of 16 are the 1 948 windows of A2.
        decay: Of the running mean of gradient norms: 0 uses this step alone.
        smallest_weight: The floor; with two tasks weights stay within 0.1 and 1.9.

    Raises:
        ValueError: Options out of range.

    Source:
        DT4ECG, algorithm 1, with protection from underflow.
    """

    def __init__(
        self,
        n_tasks: int,
        *,
        step_size: float = 2.0,
        steps_per_epoch: int = 122,
        decay: float = 0.9,
        smallest_weight: float = 0.1,
    ) -> None:
        super().__init__(n_tasks)
        require_positive(step_size=step_size, steps_per_epoch=steps_per_epoch)
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay: expected 0 or more and less than 1, got {decay}")
        if not 0.0 < smallest_weight < 1.0:
            raise ValueError(f"smallest_weight: expected more than 0 and less than 1, got {smallest_weight}")
        self.step_size = step_size / steps_per_epoch
        self.decay = decay
        self.smallest_weight = smallest_weight
        self.task_weights: Tensor
        self.mean_norms: Tensor
        self.register_buffer("task_weights", torch.ones(n_tasks, dtype=torch.float64))
        self.register_buffer("mean_norms", torch.full((n_tasks,), torch.nan, dtype=torch.float64))

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:  # noqa: ARG002
        if bool(self.mean_norms.isnan().any()):
            self.mean_norms.copy_(norms)
        self.mean_norms.mul_(self.decay).add_(norms, alpha=1.0 - self.decay)
        moved = self.task_weights * torch.exp(self.step_size * shares(self.mean_norms))
        self.task_weights.copy_(with_floor(moved, self.smallest_weight))
        return self.task_weights.clone()


def with_floor(weights: Tensor, floor: float) -> Tensor:
    """Scale weights to a sum of their number with a floor; those above the floor keep their ratios.

    Args:
        weights: Above 0, float64, shape (M,).
        floor: Below 1.
    """
    n = weights.numel()
    at_floor = torch.zeros(n, dtype=torch.bool)
    for _ in range(n):
        free = n - floor * at_floor.sum()
        scaled = torch.where(at_floor, floor, weights * (free / weights[~at_floor].sum()))
        below = scaled < floor
        if not bool(below.any()):
            return scaled
        at_floor |= below
    return scaled
