"""DT4ECG's rule without accumulation: the most plausible reading of what its authors ran."""

from __future__ import annotations

import torch
from torch import Tensor

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive, shares


class Dt4ecgStateless(TaskBalancer):
    """w = exp(step_size · (p − 1)) at each step, p being a task's share of the gradient norms.

    As if line 7 of the algorithm started from 1 each time. The ratio of two weights stays within
    exp(±step_size); the task with the larger gradient has the larger weight.

    Args:
        n_tasks: Losses per step.
        step_size: α in the source.

    Raises:
        ValueError: A step size that is not above 0.

    Source:
        DT4ECG, algorithm 1, line 7 without its memory.
    """

    def __init__(self, n_tasks: int, *, step_size: float = 2.0) -> None:
        super().__init__(n_tasks)
        require_positive(step_size=step_size)
        self.step_size = step_size

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:  # noqa: ARG002
        share = shares(norms)
        return torch.exp(self.step_size * (share - 1.0))
