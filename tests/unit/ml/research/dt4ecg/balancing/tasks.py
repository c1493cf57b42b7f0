"""Tasks whose losses and gradient norms are what a test says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.balancing.balancer import TaskBalancer


def losses_of(values: Sequence[float], norms: Sequence[float]) -> tuple[Tensor, list[nn.Parameter]]:
    """Losses, float32, and the parameter at which each has its gradient norm."""
    theta = nn.Parameter(torch.zeros(len(values)))
    return torch.tensor(values) + torch.tensor(norms) * theta, [theta]


def step(balancer: TaskBalancer, values: Sequence[float], norms: Sequence[float]) -> Tensor:
    """One training step; the weights that it used."""
    losses, shared = losses_of(values, norms)
    balancer(losses, shared).backward()
    balancer.after_backward()
    return balancer.weights


def course(n_steps: int, n_tasks: int = 3, seed: int = 0) -> list[tuple[list[float], list[float]]]:
    """Losses that fall at different rates and norms that jump about."""
    noise = torch.rand(n_steps, 2, n_tasks, generator=torch.Generator().manual_seed(seed)) + 0.5
    return [
        (
            [2.0 * noise[t, 0, i].item() * 0.9 ** (t * i) for i in range(n_tasks)],
            [(1.0 + i) * noise[t, 1, i].item() for i in range(n_tasks)],
        )
        for t in range(n_steps)
    ]


class TwoHeads(nn.Module):
    """A shared layer and a head per task."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.trunk = nn.Linear(4, 5)
        self.heads = nn.ModuleList([nn.Linear(5, 3), nn.Linear(5, 2)])

    def losses(self, x: Tensor, labels: Sequence[Tensor]) -> Tensor:
        shared = torch.tanh(self.trunk(x))
        return torch.stack(
            [
                nn.functional.cross_entropy(head(shared), own)
                for head, own in zip(self.heads, labels, strict=True)
            ]
        )


def batch(seed: int = 1) -> tuple[Tensor, list[Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    labels = [torch.randint(0, n, (8,), generator=generator) for n in (3, 2)]
    return torch.randn(8, 4, generator=generator), labels
