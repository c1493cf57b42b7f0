"""Attention transfer: the student attends to the moments where the teacher is active."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.losses.stage_pairs import paired_from_the_end
from ml.models.features import Features


class KdAttention(DistillationTerm):
    """Distance between two curves over time: where the student attends, and the teacher's activation energy.

    A transformer's curve is the attention of its class and distillation tokens at the end of each stage; a
    convolutional student's is the energy of its own maps. Curves have unit norm, so only their shape counts.

    Args:
        with_attentions: Whether the student is a transformer that returns its attentions.

    Source:
        Zagoruyko and Komodakis 2017, "Paying more attention to attention", equation 2; the comparison of
        attention with activation is ours.
    """

    def __init__(self, *, with_attentions: bool) -> None:
        super().__init__()
        self.with_attentions = with_attentions

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        if self.with_attentions and not student.attentions:
            raise ValueError("the student gives no attentions")
        distances = []
        for s, t in paired_from_the_end(len(student.stages), len(teacher.stages)):
            looked_at = (
                _attention(student, s) if self.with_attentions else _energy(student.stages[s])
            )  # (B, T)
            active = functional.adaptive_avg_pool1d(_energy(teacher.stages[t])[:, None], looked_at.shape[1])
            difference = functional.normalize(looked_at) - functional.normalize(active[:, 0])
            distances.append(difference.square().sum(dim=1).mean())
        return torch.stack(distances).mean()


def _energy(stage: Tensor) -> Tensor:
    return stage.square().mean(dim=1)  # (B, C, T) → (B, T)


def _attention(student: Features, stage: int) -> Tensor:
    """Attention of the extra tokens, which come first, in the last block of a stage."""
    block = round((stage + 1) * len(student.attentions) / len(student.stages)) - 1
    attention = student.attentions[block]  # (B, heads, tokens, tokens)
    n_extra = attention.shape[-1] - student.stages[stage].shape[-1]
    return attention[:, :, :n_extra, n_extra:].mean(dim=(1, 2))  # (B, T)
