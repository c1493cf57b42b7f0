"""One trunk, one attention, two heads: identity and activity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor, nn

from ml.research.dt4ecg.network.attentions import ATTENTIONS, make_attention
from ml.research.dt4ecg.network.backbones import BACKBONES, WITHOUT_ATTENTION, make_trunk


@dataclass(frozen=True)
class DualTaskConfig:
    """Args:
    backbone: One of `BACKBONES`.
    attention: One of `ATTENTIONS`; `none` for `lstm` and `mlp`.
    n_people: Classes of the identity head.
    n_activities: Classes of the activity head.
    n_samples: Length of a window at 100 Hz.
    backbone_options: Differences from the backbone's default options.
    attention_options: Differences from the attention's default options.

    Raises:
        ValueError: Unknown names (the message lists the known ones), counts below one, or an attention over a
            baseline that takes none.
    """

    backbone: str
    attention: str
    n_people: int
    n_activities: int
    n_samples: int = 300
    backbone_options: Mapping[str, Any] = field(default_factory=dict)
    attention_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ValueError(f"backbone: expected one of {sorted(BACKBONES)}, got {self.backbone!r}")
        if self.attention not in ATTENTIONS:
            raise ValueError(f"attention: expected one of {sorted(ATTENTIONS)}, got {self.attention!r}")
        if min(self.n_people, self.n_activities, self.n_samples) < 1:
            raise ValueError("n_people, n_activities and n_samples must be at least 1")
        if self.backbone in WITHOUT_ATTENTION and self.attention != "none":
            raise ValueError(f"{self.backbone} is a baseline without attention, got {self.attention!r}")


class DualTaskLogits(NamedTuple):
    """Scores before softmax, float32.

    Args:
        identity: Shape (B, n_people).
        activity: Shape (B, n_activities).
    """

    identity: Tensor
    activity: Tensor


class DualTaskNetwork(nn.Module):
    """Trunk → attention, once → mean over time → a linear layer per task.

    The paper places SCA once, between the last residual module and the mean over time. Of the other
    attentions and backbones it only states that they were combined. Here all have that same place, so the
    rows of table III differ in the module alone.

    Source:
        You et al., DT4ECG, section III-D, figure 5.
    """

    def __init__(self, config: DualTaskConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = make_trunk(config.backbone, config.n_samples, config.backbone_options)
        self.attention = make_attention(
            config.attention,
            self.trunk.width,
            self.trunk.n_steps(config.n_samples),
            config.attention_options,
        )
        self.identity_head = nn.Linear(self.trunk.width, config.n_people)
        self.activity_head = nn.Linear(self.trunk.width, config.n_activities)

    def forward(self, windows: Tensor) -> DualTaskLogits:
        """Score windows, preprocessed as in section II-B, float32, shape (B, n_samples).

        Raises:
            ValueError: Windows of another shape, or of a length that trunk or attention cannot read.
        """
        return self.answer(self.features(windows))

    def features(self, windows: Tensor) -> Tensor:
        """Return the input of both heads: float32, shape (B, trunk.width)."""
        if windows.ndim != 2:
            raise ValueError(f"windows: expected shape (B, n_samples), got {tuple(windows.shape)}")
        return self.pool(self.trunk(windows))

    def pool(self, mapped: Tensor) -> Tensor:
        """Pool the trunk's map (B, C, T') into the input of both heads, (B, C)."""
        pooled: Tensor = self.attention(mapped).mean(dim=2)
        return pooled

    def answer(self, features: Tensor) -> DualTaskLogits:
        """Score the input of both heads, float32, shape (B, C)."""
        return DualTaskLogits(self.identity_head(features), self.activity_head(features))

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that both tasks share: trunk and attention."""
        return [*self.trunk.parameters(), *self.attention.parameters()]

    def last_shared_parameters(self) -> list[nn.Parameter]:
        """Return those of the trunk's last layer with a weight matrix.

        The attention lies behind it, but it differs in kind and size in each row of table III. In a fresh
        ResNet the gradient of SCA's is a thirtieth of the trunk's, and tasks shall be balanced by one measure
        in all rows.
        """
        return list(self.trunk.last_layer.parameters())
