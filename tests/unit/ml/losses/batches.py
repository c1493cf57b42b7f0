"""Small batches that the tests of the losses share."""

from __future__ import annotations

import torch
from torch import Tensor

from ml.models.features import Features


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def embeddings(n: int, size: int, seed: int = 0) -> Tensor:
    return random(n, size, seed=seed).requires_grad_()


def convolutional(n: int, size: int = 6, seed: int = 0) -> Features:
    """Two stages of 5 and 7 channels over 8 and 4 moments."""
    maps = (random(n, 5, 8, seed=seed + 1), random(n, 7, 4, seed=seed + 2))
    return with_gradients(Features(random(n, size, seed=seed), stages=maps))


def transformer(n: int, size: int = 6, seed: int = 100) -> Features:
    """Three stages of 3 channels over 4 tokens, six blocks of two heads, behind two extra tokens."""
    return with_gradients(
        Features(
            random(n, size, seed=seed),
            stages=tuple(random(n, 3, 4, seed=seed + 1 + i) for i in range(3)),
            attentions=tuple(random(n, 2, 6, 6, seed=seed + 4 + i).softmax(dim=3) for i in range(6)),
            distillation=random(n, size, seed=seed + 10),
        )
    )


def with_gradients(features: Features) -> Features:
    """The same values as leaves that collect gradients."""
    token = features.distillation
    return Features(
        features.embedding.detach().requires_grad_(),
        tuple(stage.detach().requires_grad_() for stage in features.stages),
        tuple(attention.detach().requires_grad_() for attention in features.attentions),
        None if token is None else token.detach().requires_grad_(),
    )


def leaves(features: Features) -> list[Tensor]:
    token = [] if features.distillation is None else [features.distillation]
    return [features.embedding, *features.stages, *features.attentions, *token]
