"""Base of all rules that weigh tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn


class TaskBalancer(nn.Module):
    """Weighs the losses of tasks so that no task dominates the others.

    A training step is `total = balancer(losses, shared)`, `total.backward()`, `balancer.after_backward()`,
    then the network's optimizer. Weights are constants to the network: no gradient flows through them. A
    rule's memory, its own optimizer's state included, is in its `state_dict`.

    A caller that has the tasks' gradients already passes their norms to `weigh` instead and adds the
    gradients up itself. Then nothing is back-propagated twice.

    Args:
        n_tasks: Losses per step.

    Raises:
        ValueError: Fewer than one task.
    """

    looks_at_gradients: ClassVar[bool] = True
    """Whether the rule needs the norms of the tasks' gradients."""

    def __init__(self, n_tasks: int) -> None:
        super().__init__()
        if n_tasks < 1:
            raise ValueError(f"n_tasks: expected 1 or more, got {n_tasks}")
        self.n_tasks = n_tasks
        self._used = torch.ones(n_tasks, dtype=torch.float64)
        self._norms: Tensor | None = None

    @property
    def weights(self) -> Tensor:
        """Weights of the losses in the last call, float64, shape (M,), without gradient."""
        return self._used

    @property
    def log(self) -> Tensor | None:
        """Gradient norms of the unweighted losses in the last call, float64, shape (M,).

        None before the first call and for rules that do not use gradients.
        """
        return self._norms

    def forward(self, losses: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
        """Weigh the losses of a batch.

        Args:
            losses: One per task, float, shape (M,), with the graph that leads to `shared`.
            shared: Parameters at which the gradients of the tasks are compared.

        Returns:
            Scalar of the same dtype, to be back-propagated through the network.

        Raises:
            ValueError: Another number of losses, or no `shared` for a rule that uses gradients.
            FloatingPointError: Gradients that are not finite.
        """
        self._check_number(losses)
        norms = gradient_norms(losses, shared) if self.looks_at_gradients else None
        return (self.weigh(losses.detach(), norms).to(losses) * losses).sum()

    def weigh(self, losses: Tensor, norms: Tensor | None) -> Tensor:
        """Return the weights of a batch; they are kept for `weights`, and the norms for `log`.

        Args:
            losses: One per task, float, shape (M,), without graph.
            norms: Of the gradients of the unweighted losses, float64, shape (M,); None for a rule that does
                not use them.

        Returns:
            Rounded to the type of the losses, on the CPU, float64, shape (M,).

        Raises:
            ValueError: Another number of losses.
            FloatingPointError: Gradients that are not finite.
        """
        self._check_number(losses)
        if norms is not None and not bool(norms.isfinite().all()):
            raise FloatingPointError(f"gradient norms of the tasks are {norms.tolist()}")
        self._norms = norms
        given = losses.new_empty(0) if norms is None else norms
        self._used = self.next_weights(losses, given).to(losses).to("cpu", torch.float64)
        return self._used

    @abstractmethod
    def next_weights(self, losses: Tensor, norms: Tensor) -> Tensor:
        """Weights of this call, float64, shape (M,), without gradient.

        Args:
            losses: Without graph, shape (M,).
            norms: Float64, shape (M,), or (0,) for a rule that does not use gradients.
        """

    def after_backward(self) -> None:
        """Update the rule after the last call; no effect for rules that have done so already."""

    def _check_number(self, losses: Tensor) -> None:
        if losses.shape != (self.n_tasks,):
            raise ValueError(f"expected {self.n_tasks} losses, got shape {tuple(losses.shape)}")


def gradient_norms(losses: Tensor, shared: Sequence[nn.Parameter]) -> Tensor:
    """Return the Euclidean norm of each loss's gradient over some parameters; their `grad` is unchanged.

    Args:
        losses: Float, shape (M,). Their graph is kept for `backward`.
        shared: Parameters; one that a loss does not depend on adds nothing.

    Returns:
        On the CPU, float64, shape (M,).

    Raises:
        ValueError: No parameters.
    """
    if not shared:
        raise ValueError("expected parameters at which to compare gradients, got none")
    gradients = (
        torch.autograd.grad(loss, list(shared), retain_graph=True, allow_unused=True) for loss in losses
    )
    return torch.stack([joint_norm(of_loss) for of_loss in gradients]).to("cpu", torch.float64)


def joint_norm(gradients: Iterable[Tensor | None]) -> Tensor:
    """Return the Euclidean norm of several tensors together, float, shape (); 0 for none."""
    norms = [gradient.norm() for gradient in gradients if gradient is not None]
    return torch.stack(norms).norm() if norms else torch.zeros(())


def shares(values: Tensor) -> Tensor:
    """Return non-negative values as shares of their sum; equal shares if all are 0."""
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
