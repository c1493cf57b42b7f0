"""Output of every window network: an embedding, and the stages that distillation and activity read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

# A window of 2.944 s fits the shortest strip accepted (3 s) and halves four times.
WINDOW_SAMPLES = 368
WINDOW_FS_HZ = 125.0


class Features(NamedTuple):
    """The outputs of one forward pass.

    Args:
        embedding: Not normalized, float32, shape (B, d).
        stages: Maps in the order they are computed, each of shape (B, C_i, T_i).
        attentions: After softmax, one per attention block, each of shape (B, heads, tokens, tokens); none
            for convolutional networks.
        distillation: Embedding of the distillation token, shape (B, d); None without such a token.
    """

    embedding: Tensor
    stages: tuple[Tensor, ...] = ()
    attentions: tuple[Tensor, ...] = ()
    distillation: Tensor | None = None
