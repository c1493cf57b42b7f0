"""What all rules that weigh tasks share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TaskBalancer(nn.Module):
    """Weighs the losses of tasks so that no task keeps the others from learning.

    A training step is `total = balancer(losses, shared)`, `total.backward()`, `balancer.after_backward()`,
    then the network's optimiser. Weights are numbers to the network: no gradient flows through them. What a
    rule remembers, an own optimiser's state included, is in its `state_dict`.

    Args:
        n_tasks: Losses per step.

    Raises:
        ValueError: Fewer than one task.
    """

    def __init__(self, n_tasks: int) -> None:
        super().__init__()
        if n_tasks < 1:
            raise ValueError(f"n_tasks: expected 1 or more, got {n_tasks}")
        self.n_tasks = n_tasks
        self._used = torch.ones(n_tasks, dtype=torch.float64)
        self._norms: Tensor | None = None

    @property
    def weights(self) -> Tensor:
        """Weights that multiplied the losses of the last call, float64, shape (M,), without gradient."""
        return self._used

    @property
    def log(self) -> Tensor | None:
        """Gradient norms of the unweighted losses in the last call, float64, shape (M,).

        None before the first call and with rules that do not look at gradients.
        """
        return self._norms

    def forward(self, losses: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
        """Weigh the losses of a batch.

        Args:
            losses: One per task, float, shape (M,), with the graph that leads to `shared`.
            shared: Parameters at which the gradients of the tasks are compared.

        Returns:
            Scalar of the same dtype: what is to be back-propagated through the network.

        Raises:
            ValueError: Another number of losses, or a rule that looks at gradients and no `shared`.
            FloatingPointError: Gradients that are not finite.
        """
        if losses.shape != (self.n_tasks,):
            raise ValueError(f"expected {self.n_tasks} losses, got shape {tuple(losses.shape)}")
        weights = self.next_weights(losses, shared).to(losses)
        self._used = weights.to("cpu", torch.float64)
        return (weights * losses).sum()

    @abstractmethod
    def next_weights(self, losses: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
        """Weights of this call, float64, shape (M,), without gradient."""

    def after_backward(self) -> None:
        """Learn from the last call; nothing where a rule has done so already."""

    def measured_norms(self, losses: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
        """Gradient norms of the unweighted losses, float64, shape (M,); kept for `log`."""
        self._norms = gradient_norms(losses, shared)
        return self._norms


def gradient_norms(losses: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
    """Give the Euclidean norm of each loss's gradient over some parameters; their `grad` stays as it is.

    Args:
        losses: Float, shape (M,). Their graph is kept for `backward`.
        shared: Parameters; one that a loss does not depend on adds nothing.

    Returns:
        On the CPU, float64, shape (M,).

    Raises:
        ValueError: No parameters.
        FloatingPointError: A norm that is not finite.
    """
    if not shared:
        raise ValueError("expected parameters at which to compare gradients, got none")
    norms = torch.stack([_norm(loss, shared) for loss in losses.unbind()]).to("cpu", torch.float64)
    if not bool(norms.isfinite().all()):
        raise FloatingPointError(f"gradient norms of the tasks are {norms.tolist()}")
    return norms


def _norm(loss: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
    gradients = torch.autograd.grad(loss, list(shared), retain_graph=True, allow_unused=True)
    parts = [gradient.norm() for gradient in gradients if gradient is not None]
    return torch.stack(parts).norm() if parts else loss.new_zeros(())


def shares(values: Tensor) -> Tensor:
    """Give values that are not negative as shares of their sum; all alike where all are 0."""
    total = values.sum()
    return values / total if total > 0.0 else torch.full_like(values, 1.0 / values.numel())


def require_positive(**options: float) -> None:
    """Refuse options that are not above 0.

    Raises:
        ValueError: Names the option.
    """
    for name, value in options.items():
        if not value > 0.0:
            raise ValueError(f"{name}: expected more than 0, got {value}")
