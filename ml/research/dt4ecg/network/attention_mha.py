"""Multi-head self-attention over the steps of a map."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.options import check_choice

POSITIONS = ("none", "sinusoidal")


@dataclass(frozen=True)
class MhaOptions:
    """Choices that "MHA" leaves open.

    Args:
        heads: Must divide the channels.
        positions: `sinusoidal` adds Vaswani et al.'s encodings (section 3.5) to the map; `none` does not,
            since convolutions have encoded the surroundings of each step.

    Raises:
        ValueError: Unknown positions.
    """

    heads: int = 4
    positions: str = "none"

    def __post_init__(self) -> None:
        check_choice("positions", self.positions, POSITIONS)


class StepAttention(nn.Module):
    """LayerNorm(X + MultiHead(X, X, X)); each step of the map is a token of C numbers.

    Args:
        width: C.
        options: Heads and positions.

    Raises:
        ValueError: Channels that the heads do not divide.

    Source:
        Vaswani et al. 2017, sections 3.1 and 3.2.
    """

    def __init__(self, width: int, options: MhaOptions) -> None:
        super().__init__()
        self.positions = options.positions
        self.attention = MultiHeadSelfAttention(width, options.heads)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → same."""
        tokens = x.transpose(1, 2)  # (B, C, T) → (B, T, C)
        if self.positions == "sinusoidal":
            tokens = tokens + sinusoids(tokens.shape[1], tokens.shape[2], tokens)
        mixed: Tensor = self.norm(tokens + self.attention(tokens))
        return mixed.transpose(1, 2)


class MultiHeadSelfAttention(nn.Module):
    """Multi-head self-attention of all tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"heads: expected a divisor of {width} channels, got {heads}")
        self.heads = heads
        self.query = nn.Linear(width, width)
        # A bias of the keys adds the same to all scores of a token, which softmax ignores.
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, C) → same."""
        query, key, value = (self._split(part(tokens)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(2, 3) / query.shape[3] ** 0.5  # (B, heads, T, T)
        mixed = torch.softmax(scores, dim=3) @ value  # (B, heads, T, C/heads)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, tokens: Tensor) -> Tensor:
        batch, n_steps, _ = tokens.shape
        return tokens.view(batch, n_steps, self.heads, -1).transpose(1, 2)  # → (B, heads, T, C/heads)


def sinusoids(n_steps: int, width: int, like: Tensor) -> Tensor:
    """Encodings of positions, of the dtype and device of `like`, shape (n_steps, width)."""
    position = torch.arange(n_steps, dtype=like.dtype, device=like.device)[:, None]
    pair = torch.arange(width, device=like.device) // 2
    angle = position * torch.exp(-log(10000.0) * 2 * pair / width)
    even = torch.arange(width, device=like.device) % 2 == 0
    return torch.where(even, torch.sin(angle), torch.cos(angle))
