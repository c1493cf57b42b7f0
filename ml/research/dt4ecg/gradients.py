"""Gradients of one batch, weighed by a balancing, without a full backward pass per task.

A balancing reads each task's gradient at the trunk's last layer. Only the layers behind it are passed for
each task; the tasks' gradients are then weighed, summed and sent through the rest once. The result is the
gradient of the weighted sum of the losses, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.balancing.balancer import TaskBalancer, joint_norm
from ml.research.dt4ecg.network.network import DualTaskLogits, DualTaskNetwork

Loss = Callable[[Tensor, Tensor], Tensor]
Gradients = Sequence[Tensor | None]


class Answer(NamedTuple):
    """Output of a network for a batch.

    Args:
        logits: Scores.
        losses: Of identity and activity, unweighted, float32, shape (2,); without graph in `added`.
    """

    logits: DualTaskLogits
    losses: Tensor


class BalancedGradients:
    """Adds the gradients of the weighted sum of the losses to those of a network.

    Args:
        network: In training mode.
        balancer: Weighs the two tasks.
        loss: Of one task, from its scores and labels.
        gradient_of: `last_shared`, `shared` or `all`: the gradient that the rule weighs.
        precision: `bfloat16` rounds inputs and outputs of matrix products and convolutions; weights, sums,
            means, the heads and losses stay float32. `float32` rounds nothing.

    Raises:
        ValueError: An unknown `gradient_of`.
    """

    def __init__(
        self, network: DualTaskNetwork, balancer: TaskBalancer, loss: Loss, gradient_of: str, precision: str
    ) -> None:
        self._network = network
        self._balancer = balancer
        self._loss = loss
        self._precision = precision
        self._weighed = weighed_parameters(network, gradient_of)
        self._all = list(network.parameters())
        self._at_last = gradient_of == "last_shared"
        last = {id(parameter) for parameter in self._weighed}
        behind = {id(parameter) for parameter in _behind_last(network)}
        self._behind = [p for p in self._all if id(p) in behind]
        self._before = [p for p in self._all if id(p) not in behind | last]

    def added(self, windows: Tensor, labels: Tensor) -> Answer:
        """Add the gradients of a batch; the caller calls `after_backward` of the balancing.

        Args:
            windows: Float32, shape (B, n_samples).
            labels: Person and activity, int64, shape (B, 2).

        Raises:
            FloatingPointError: A loss or a weighed gradient is not finite; nothing was added.
        """
        if not self._balancer.looks_at_gradients:
            answer = self._without_looking(windows, labels)
        elif self._at_last:
            answer = self._looking_at_last(windows, labels)
        else:
            answer = self._looking_at_many(windows, labels)
        return Answer(answer.logits, answer.losses.detach())

    def _without_looking(self, windows: Tensor, labels: Tensor) -> Answer:
        with self._rounding():
            features = self._network.features(windows)
        answer = self._answer(features, labels)
        weights = self._balancer.weigh(answer.losses.detach(), None)
        (weights.to(answer.losses) * answer.losses).sum().backward()  # type: ignore[no-untyped-call]
        return answer

    def _looking_at_many(self, windows: Tensor, labels: Tensor) -> Answer:
        with self._rounding():
            features = self._network.features(windows)
        answer = self._answer(features, labels)
        of_tasks = _gradient_per_loss(answer.losses, self._all)
        weighed = {id(parameter) for parameter in self._weighed}
        looked_at = [k for k, parameter in enumerate(self._all) if id(parameter) in weighed]
        weights = self._weights(answer.losses, [[of[k] for k in looked_at] for of in of_tasks])
        _add_weighted(self._all, weights, of_tasks)
        return answer

    def _looking_at_last(self, windows: Tensor, labels: Tensor) -> Answer:
        trunk = self._network.trunk
        with self._rounding():
            read, *beside = trunk.before_last(windows)
            cut = [trunk.through_last(read), *beside]
            # The graph ends here, and a new one begins.
            anew = [one.detach().requires_grad_() for one in cut]
            features = self._network.pool(trunk.after_last(*anew))
        answer = self._answer(features, labels)
        of_tasks = _gradient_per_loss(answer.losses, [*anew, *self._behind])
        at_last = [
            torch.autograd.grad(cut[0], self._weighed, of_task[0], retain_graph=True) for of_task in of_tasks
        ]
        weights = self._weights(answer.losses, at_last)
        _add_weighted(self._weighed, weights, at_last)
        _add_weighted(self._behind, weights, [of_task[len(cut) :] for of_task in of_tasks])
        if self._before:
            sums = [_weighted_sum(weights, [of_task[k] for of_task in of_tasks]) for k in range(len(cut))]
            torch.autograd.backward(cut, sums, inputs=self._before)
        return answer

    def _answer(self, features: Tensor, labels: Tensor) -> Answer:
        logits = self._network.answer(features.float())
        losses = torch.stack([self._loss(one, labels[:, k]) for k, one in enumerate(logits)])
        if not bool(losses.isfinite().all()):
            raise FloatingPointError(f"losses {losses.tolist()}")
        return Answer(logits, losses)

    def _weights(self, losses: Tensor, looked_at: Sequence[Gradients]) -> list[float]:
        norms = torch.stack([joint_norm(of_task) for of_task in looked_at]).double()
        weights: list[float] = self._balancer.weigh(losses.detach(), norms).tolist()
        return weights

    def _rounding(self) -> AbstractContextManager[object]:
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._precision == "bfloat16")


def weighed_parameters(network: DualTaskNetwork, gradient_of: str) -> list[nn.Parameter]:
    """Return the weights whose gradient a balancing weighs.

    Raises:
        ValueError: An unknown name.
    """
    known: Mapping[str, Callable[[], list[nn.Parameter]]] = {
        "last_shared": network.last_shared_parameters,
        "shared": network.shared_parameters,
        "all": lambda: list(network.parameters()),
    }
    if gradient_of not in known:
        raise ValueError(f"gradient_of: expected one of {sorted(known)}, got {gradient_of!r}")
    return known[gradient_of]()


def _behind_last(network: DualTaskNetwork) -> list[nn.Parameter]:
    modules = (
        *network.trunk.behind_last,
        network.attention,
        network.identity_head,
        network.activity_head,
    )
    return [parameter for module in modules for parameter in module.parameters()]


def _gradient_per_loss(losses: Tensor, of: Sequence[Tensor]) -> list[tuple[Tensor | None, ...]]:
    n = len(losses)
    return [
        torch.autograd.grad(loss, of, retain_graph=k < n - 1, allow_unused=True)
        for k, loss in enumerate(losses.unbind())
    ]


def _add_weighted(
    parameters: Sequence[nn.Parameter], weights: Sequence[float], of_tasks: Sequence[Gradients]
) -> None:
    for parameter, gradients in zip(parameters, zip(*of_tasks, strict=True), strict=True):
        for weight, gradient in zip(weights, gradients, strict=True):
            if gradient is None:
                continue
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.add_(gradient, alpha=weight)


def _weighted_sum(weights: Sequence[float], gradients: Gradients) -> Tensor:
    first, *others = (
        (weight, one) for weight, one in zip(weights, gradients, strict=True) if one is not None
    )
    total = first[0] * first[1]
    for weight, one in others:
        total.add_(one, alpha=weight)
    return total
