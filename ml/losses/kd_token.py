"""Terms of the distillation token: it repeats the teacher, while the class token predicts the label."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.losses.kd_logit import LogitsOf
from ml.losses.metric_loss import MetricLoss
from ml.losses.projector import projector
from ml.models.features import Features


class KdTokenEmbedding(DistillationTerm):
    """Cosine from the distillation token's embedding to the teacher's embedding.

    Args:
        student_size: Length of the student's embeddings.
        teacher_size: Length of the teacher's.
    """

    def __init__(self, student_size: int, teacher_size: int) -> None:
        super().__init__()
        self.project = projector(student_size, teacher_size)

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        towards = self.project(_token(student))
        return 1.0 - functional.cosine_similarity(towards, teacher.embedding).mean()


class KdTokenLabel(DistillationTerm):
    """The distillation token predicts the teacher's most probable class.

    Args:
        classifier: A class loss of the distillation token alone; its weights belong to this term.
        teacher_logits: The teacher's embeddings (B, d) → logits (B, n_classes).

    Source:
        Touvron et al. 2021, "Training data-efficient image transformers & distillation through attention",
        equation 3 (hard-label distillation).
    """

    def __init__(self, classifier: MetricLoss, teacher_logits: LogitsOf) -> None:
        super().__init__()
        self.classifier = classifier
        self.teacher_logits = teacher_logits

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        with torch.no_grad():
            named = self.teacher_logits(teacher.embedding).argmax(dim=1)
        loss: Tensor = self.classifier(_token(student), named)
        return loss


def _token(student: Features) -> Tensor:
    if student.distillation is None:
        raise ValueError("the student has no distillation token")
    return student.distillation
