"""Fit a fusion network to people's vectors, with modality dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ml.losses.sup_con import SupCon
from ml.models.fusion_net import FusionNet, FusionNetConfig
from ml.training.fusion.people import Person


@dataclass(frozen=True)
class FusionFit:
    """Args:
    steps: Of the optimizer.
    people_per_step: Drawn at each step, all if there are fewer.
    views: Of each person, each of other captures and another mask.
    dropout: Probability with which a view lacks a modality; one is always left.
    jitter: Standard deviation of the noise on each vector, as a share of its norm.
    learning_rate, weight_decay: Of AdamW.
    temperature: Of the supervised contrastive loss.
    seed: Of everything random.
    """

    steps: int = 1_000
    people_per_step: int = 128
    views: int = 4
    dropout: float = 0.3
    jitter: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    temperature: float = 0.1
    seed: int = 20261201


def fit_fusion_net(
    people: Sequence[Person],
    config: FusionNetConfig,
    plan: FusionFit,
    report: Callable[[int], None] = lambda _: None,
) -> FusionNet:
    """Fit a network that brings the views of a person together and keeps people apart.

    Args:
        people: Each with vectors of every modality of `config`.
        config: Of the network.
        plan: How it is fitted.
        report: Called with the number of steps made.

    Returns:
        The network, ready for inference.
    """
    generator = np.random.default_rng(plan.seed)
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        network = FusionNet(config)
        loss_of = SupCon(temperature=plan.temperature)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )
        for step in range(plan.steps):
            vectors, mask, labels = _views(people, config, plan, generator)
            loss = loss_of(network(vectors, mask), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            report(step + 1)
    return network.eval()


def _views(
    people: Sequence[Person], config: FusionNetConfig, plan: FusionFit, generator: np.random.Generator
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Draw several views of some people: one capture per modality, jittered, and some modalities masked."""
    n = min(plan.people_per_step, len(people))
    drawn = np.repeat(generator.choice(len(people), size=n, replace=False), plan.views)
    vectors = []
    for modality, size in config.vector_sizes.items():
        rows = np.stack(
            [_any_row(people[index].vectors[modality].rows, generator) for index in drawn.tolist()]
        )
        noise = generator.standard_normal(rows.shape, dtype=np.float32) * np.float32(plan.jitter / size**0.5)
        moved = rows + noise
        vectors.append(torch.from_numpy(moved / np.linalg.norm(moved, axis=1, keepdims=True)))
    mask = torch.from_numpy(_masks(drawn.size, len(config.vector_sizes), plan.dropout, generator))
    return vectors, mask, torch.from_numpy(drawn)


def _any_row(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return np.asarray(rows[generator.integers(len(rows))])


def _masks(n: int, modalities: int, dropout: float, generator: np.random.Generator) -> np.ndarray:
    """Keep each modality with probability 1 − dropout, and one at least; float32, shape (n, modalities)."""
    kept = generator.random((n, modalities)) >= dropout
    kept[np.arange(n), generator.integers(modalities, size=n)] = True
    return kept.astype(np.float32)
