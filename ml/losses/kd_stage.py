"""Stage-wise alignment: the student's maps at a moment predict the teacher's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.losses.stage_pairs import paired_from_the_end
from ml.models.features import Features


class KdStage(DistillationTerm):
    """Cosine between projected maps of the student and maps of the teacher, over all moments and stages.

    The teacher's time is resampled to the student's tokens. Cosines are used because the scale of a map
    differs across architectures. Both maps are centered over the channels, since the teacher's rectified ones
    would otherwise all point the same way.

    Args:
        student_channels: Channels of each of the student's stages.
        teacher_channels: Channels of each of the teacher's; paired from the end.

    Raises:
        ValueError: One of them has no stage.

    Source:
        Romero et al. 2015, "FitNets: hints for thin deep nets"; cosine and normalization are ours.
    """

    def __init__(self, student_channels: Sequence[int], teacher_channels: Sequence[int]) -> None:
        super().__init__()
        self.pairs = paired_from_the_end(len(student_channels), len(teacher_channels))
        self.projectors = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(student_channels[s]), nn.Linear(student_channels[s], teacher_channels[t])
            )
            for s, t in self.pairs
        )

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        distances = []
        for (s, t), project in zip(self.pairs, self.projectors, strict=True):
            seen = project(student.stages[s].transpose(1, 2))  # (B, C_s, T) → (B, T, C_t)
            wanted = functional.adaptive_avg_pool1d(teacher.stages[t], seen.shape[1]).transpose(1, 2)
            wanted = functional.layer_norm(wanted, wanted.shape[2:])
            distances.append(1.0 - _cosines(seen, wanted).mean())
        return torch.stack(distances).mean()


def _cosines(seen: Tensor, wanted: Tensor) -> Tensor:
    """Over the last axis; torch's own function normalizes copies of these large maps, at twice the time."""
    lengths = torch.linalg.vector_norm(seen, dim=-1) * torch.linalg.vector_norm(wanted, dim=-1)
    cosines: Tensor = (seen * wanted).sum(dim=-1) / lengths.clamp_min(1e-6)
    return cosines
