"""Algorithm 1 of the DT4ECG paper as printed, with its defect."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, require_positive, shares


class TaskWeightUnderflowWarning(RuntimeWarning):
    """A task's weight became zero: the network no longer learns the task."""


class Dt4ecgLiteral(TaskBalancer):
    """w ← w · exp(step_size · (p − 1)) at each step, p being a task's share of the gradient norms.

    No p exceeds 1, so no weight ever grows, and the product of all falls by exp(step_size · (M − 1)) per
    step. With two tasks and a step size of 2 both are 0 in single precision after 104 steps, less than an
    epoch. Adam, which divides by the size of gradients, freezes before. The task with the *larger* gradient
    loses less, the opposite of balancing. Weights are kept as logarithms, which do not underflow; the factors
    of the losses do, with a warning.

    Args:
        n_tasks: Losses per step.
        step_size: α in the source.

    Raises:
        ValueError: A step size that is not above 0.

    Source:
        DT4ECG, algorithm 1, lines 5 to 8; α = 2 in section IV-A.
    """

    def __init__(self, n_tasks: int, *, step_size: float = 2.0) -> None:
        super().__init__(n_tasks)
        require_positive(step_size=step_size)
        self.step_size = step_size
        self.log_weights: Tensor
        self.n_steps: Tensor
        self.register_buffer("log_weights", torch.zeros(n_tasks, dtype=torch.float64))
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))

    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:
        share = shares(norms)
        were_lost = _underflow(self.log_weights, losses.dtype)
        self.log_weights += self.step_size * (share - 1.0)
        self.n_steps += 1
        are_lost = _underflow(self.log_weights, losses.dtype)
        if lost := torch.nonzero(are_lost & ~were_lost).flatten().tolist():
            warnings.warn(
                f"after {int(self.n_steps)} steps the weights of tasks {lost} are zero in {losses.dtype}: "
                "the rule as printed multiplies them by less than 1 at each step",
                TaskWeightUnderflowWarning,
                stacklevel=2,
            )
        return torch.exp(self.log_weights)


def _underflow(log_weights: Tensor, dtype: torch.dtype) -> Tensor:
    """Mask of weights that are zero as factors of losses of a dtype."""
    return torch.exp(log_weights).to(dtype) == 0.0
