"""Data-efficient image transformer in one dimension: conv stem, class and distillation token.

Width 192, 12 blocks, 3 heads are DeiT-tiny (5.6 M weights); 6 blocks of width 96 with an mlp_ratio of 3 have
0.65 M, of width 64 and 2 heads 0.29 M. Recipes choose.

Source:
    Touvron et al. 2021, "Training data-efficient image transformers & distillation through attention";
    Xiao et al. 2021, "Early convolutions help transformers see better" (the stem);
    Huang et al. 2016 (stochastic depth).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.models.features import WINDOW_SAMPLES, Features

STAGES = 3
STEM_KERNEL = 7
INITIAL_DEVIATION = 0.02


@dataclass(frozen=True)
class Deit1dConfig:
    """Args:
    patch_samples: Samples per token, a power of two that divides a window: 8 → 46 tokens, 16 → 23.
    width: Length of a token; a multiple of `heads` and of `patch_samples` / 2.
    blocks: Attention and perceptron pairs; three at least, so that there are three stages.
    heads: Attention heads.
    mlp_ratio: Hidden units of a perceptron per unit of `width`.
    embedding_size: Length of the embedding.
    distillation_token: Whether a second token is trained by the teacher.
    stochastic_depth: Share of the samples that skip the last block in training; earlier blocks, fewer.
    """

    patch_samples: int = 16
    width: int = 192
    blocks: int = 12
    heads: int = 3
    mlp_ratio: float = 4.0
    embedding_size: int = 128
    distillation_token: bool = True
    stochastic_depth: float = 0.1

    def __post_init__(self) -> None:
        """Raises: ValueError: No network has this shape."""
        halvings = self.patch_samples.bit_length() - 1
        if self.patch_samples < 2 or 2**halvings != self.patch_samples or WINDOW_SAMPLES % self.patch_samples:
            raise ValueError(
                f"patch_samples: expected a power of two dividing {WINDOW_SAMPLES}, got {self.patch_samples}"
            )
        if self.width % self.heads or self.width % (self.patch_samples // 2):
            raise ValueError(
                f"width: expected a multiple of {self.heads} heads and of {self.patch_samples // 2}, "
                f"got {self.width}"
            )
        if self.blocks < STAGES:
            raise ValueError(f"blocks: expected {STAGES} or more, got {self.blocks}")
        if not 0.0 <= self.stochastic_depth < 1.0:
            raise ValueError(f"stochastic_depth: expected 0 to below 1, got {self.stochastic_depth}")

    @property
    def tokens(self) -> int:
        """Patches of one window."""
        return WINDOW_SAMPLES // self.patch_samples


class ConvStem(nn.Module):
    """Halves the window until one column is one patch; widths double on the way."""

    def __init__(self, config: Deit1dConfig) -> None:
        super().__init__()
        halvings = config.patch_samples.bit_length() - 1
        widths = [1, *(config.width >> (halvings - 1 - i) for i in range(halvings))]
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            # Conv2d with a flat kernel: on CPUs its channels-last path is 1.6 times as fast as Conv1d.
            layers += [
                nn.Conv2d(
                    narrow, wide, (1, STEM_KERNEL), stride=(1, 2), padding=(0, STEM_KERNEL // 2), bias=False
                ),
                nn.BatchNorm2d(wide),
                nn.GELU(),
            ]
        layers.append(nn.Conv2d(config.width, config.width, 1))
        self.layers = nn.Sequential(*layers)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, windows: Tensor) -> Tensor:
        x = windows[:, None, None].contiguous(memory_format=torch.channels_last)  # (B, 1, 1, samples)
        tokens: Tensor = self.layers(x)  # (B, width, 1, tokens)
        return tokens.squeeze(2).transpose(1, 2)  # (B, tokens, width)


class Attention(nn.Module):
    """Multi-head self-attention over all tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor, *, with_weights: bool) -> tuple[Tensor, Tensor | None]:
        n, tokens, width = x.shape
        joint = self.query_key_value(x).reshape(n, tokens, 3, self.heads, width // self.heads)
        query, key, value = joint.permute(2, 0, 3, 1, 4)  # each (B, heads, tokens, width / heads)
        weights = None
        if with_weights:
            scaled = query * (width // self.heads) ** -0.5
            weights = (scaled @ key.transpose(-2, -1)).softmax(dim=-1)  # (B, heads, tokens, tokens)
            found = weights @ value
        else:  # The same, fused; it returns no weights.
            found = functional.scaled_dot_product_attention(query, key, value)
        return self.mix(found.transpose(1, 2).reshape(n, tokens, width)), weights


class Block(nn.Module):
    """Attention, then a perceptron per token, each on normalized tokens and added to its input."""

    def __init__(self, config: Deit1dConfig, skipped: float) -> None:
        super().__init__()
        hidden = round(config.width * config.mlp_ratio)
        self.skipped = skipped
        self.before_attention = nn.LayerNorm(config.width)
        self.attention = Attention(config.width, config.heads)
        self.before_perceptron = nn.LayerNorm(config.width)
        self.perceptron = nn.Sequential(
            nn.Linear(config.width, hidden), nn.GELU(), nn.Linear(hidden, config.width)
        )

    def forward(self, x: Tensor, *, with_weights: bool) -> tuple[Tensor, Tensor | None]:
        found, weights = self.attention(self.before_attention(x), with_weights=with_weights)
        x = x + self._thinned(found)
        return x + self._thinned(self.perceptron(self.before_perceptron(x))), weights

    def _thinned(self, x: Tensor) -> Tensor:
        """In training, drop a branch for some samples of the batch; its expectation stays."""
        if not self.training or self.skipped == 0.0:
            return x
        kept = torch.rand(len(x), 1, 1, device=x.device) >= self.skipped
        return x * kept / (1.0 - self.skipped)


class Deit1d(nn.Module):
    """Window → embedding.

    In training, `embedding` is the class token's and `distillation` the distillation token's: each has its
    own loss. In evaluation mode `embedding` is the mean of both.

    Args:
        config: The shape of the network.

    Attributes:
        with_attentions: Whether to fill `Features.attentions`, which rules out the fused attention; False at
            first.
    """

    def __init__(self, config: Deit1dConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding_size = config.embedding_size
        self.with_attentions = False
        self.stem = ConvStem(config)
        self.n_extra = 2 if config.distillation_token else 1
        self.extra_tokens = nn.Parameter(torch.zeros(1, self.n_extra, config.width))
        self.positions = nn.Parameter(torch.zeros(1, self.n_extra + config.tokens, config.width))
        self.blocks = nn.ModuleList(
            Block(config, config.stochastic_depth * i / (config.blocks - 1)) for i in range(config.blocks)
        )
        self.norm = nn.LayerNorm(config.width)
        self.class_head = nn.Linear(config.width, config.embedding_size)
        self.distillation_head = (
            nn.Linear(config.width, config.embedding_size) if config.distillation_token else None
        )
        self._initialize()

    def forward(self, windows: Tensor) -> Features:
        """Encode standardized windows, float32, shape (B, samples)."""
        x = self.stem(windows)  # (B, tokens, width)
        x = torch.cat([self.extra_tokens.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        stages: list[Tensor] = []
        attentions: list[Tensor] = []
        ends = {round((i + 1) * len(self.blocks) / STAGES) for i in range(STAGES)}
        for done, block in enumerate(self.blocks, start=1):
            x, weights = block(x, with_weights=self.with_attentions)
            if weights is not None:
                attentions.append(weights)
            if done in ends:
                stages.append(x[:, self.n_extra :].transpose(1, 2))  # (B, width, tokens)
        embedding, distillation = self._heads(self.norm(x[:, : self.n_extra]))
        return Features(embedding, tuple(stages), tuple(attentions), distillation)

    def _heads(self, extra: Tensor) -> tuple[Tensor, Tensor | None]:
        embedding = cast(Tensor, self.class_head(extra[:, 0]))  # (B, embedding_size)
        if self.distillation_head is None:
            return embedding, None
        distillation = cast(Tensor, self.distillation_head(extra[:, 1]))
        return embedding if self.training else (embedding + distillation) / 2, distillation

    def _initialize(self) -> None:
        for parameter in (self.extra_tokens, self.positions):
            nn.init.trunc_normal_(parameter, std=INITIAL_DEVIATION)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=INITIAL_DEVIATION)
                nn.init.zeros_(module.bias)
