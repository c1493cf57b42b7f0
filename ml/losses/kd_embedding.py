"""Embedding distillation: the student's vectors point in the teacher's directions."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.losses.projector import projector
from ml.models.features import Features


class KdEmbedding(DistillationTerm):
    """Cosine between the student's embedding, projected if the lengths differ, and the teacher's.

    Args:
        student_size: Length of the student's embedding.
        teacher_size: Length of the teacher's.
    """

    def __init__(self, student_size: int, teacher_size: int) -> None:
        super().__init__()
        self.project = projector(student_size, teacher_size)

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        towards = self.project(student.embedding)
        return 1.0 - functional.cosine_similarity(towards, teacher.embedding).mean()
