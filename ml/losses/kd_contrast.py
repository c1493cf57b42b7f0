"""Contrastive distillation: a student's vector picks the teacher's vector of the same window from a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.projector import projector
from ml.models.features import Features


class KdContrast(DistillationTerm):
    """InfoNCE from student to teacher; other windows of the same person are left out of the negatives.

    Args:
        student_size: Length of the student's embedding.
        teacher_size: Length of the teacher's.
        temperature: Of the cosines.
        ignored_pairs: Classes that are left out of each other's negatives.

    Source:
        Tian et al. 2020, "Contrastive representation distillation".
        The batch stands in for its memory bank.
    """

    def __init__(
        self,
        student_size: int,
        teacher_size: int,
        *,
        temperature: float = 0.1,
        ignored_pairs: IgnoredPairs | None = None,
    ) -> None:
        super().__init__()
        self.project = projector(student_size, teacher_size)
        self.temperature = temperature
        self.ignored_pairs = ignored_pairs

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:
        learning = functional.normalize(self.project(student.embedding))
        wanted = functional.normalize(teacher.embedding)
        left_out = (labels[:, None] == labels).fill_diagonal_(False)
        if self.ignored_pairs is not None:
            left_out |= self.ignored_pairs(labels)
        logits = (learning @ wanted.T / self.temperature).masked_fill(left_out, -torch.inf)  # (B, B)
        return functional.cross_entropy(logits, torch.arange(len(labels), device=labels.device))
