"""Equal weighted gradient norms by small steps: GradNorm without asymmetry, to first order."""

from __future__ import annotations

import torch
from torch import Tensor

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive, shares


class GradEqualise(TaskBalancer):
    """w ← w · exp(step_size · (1/M − q)), q being a task's share of the *weighted* gradient norms.

    The task with the larger weighted gradient loses weight until all are alike. The product of the weights
    stays 1.

    Args:
        n_tasks: Losses per step.
        step_size: No ratio of two weights changes by more than exp(step_size) in a step.

    Raises:
        ValueError: A step size that is not above 0.

    Source:
        Chen et al. 2018 with α = 0; a multiplicative step keeps weights positive.
    """

    def __init__(self, n_tasks: int, *, step_size: float = 0.05) -> None:
        super().__init__(n_tasks)
        require_positive(step_size=step_size)
        self.step_size = step_size
        self.log_weights: Tensor
        self.register_buffer("log_weights", torch.zeros(n_tasks, dtype=torch.float64))

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:  # noqa: ARG002
        share = shares(torch.exp(self.log_weights) * norms)
        self.log_weights += self.step_size * (1.0 / self.n_tasks - share)
        return torch.exp(self.log_weights)
