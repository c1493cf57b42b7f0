"""Logit distillation: the student predicts the teacher's class probabilities."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.models.features import Features

LogitsOf = Callable[[Tensor], Tensor]


class KdLogit(DistillationTerm):
    """Divergence of the student's softened prediction from the teacher's.

    Args:
        student_logits: Embeddings (B, d) → logits (B, n_classes); `logits` of the student's class loss, whose
            weights stay that loss's own.
        teacher_logits: The same for the teacher.
        temperature: Divides both logits.

    Source:
        Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.
    """

    def __init__(
        self, student_logits: LogitsOf, teacher_logits: LogitsOf, *, temperature: float = 4.0
    ) -> None:
        super().__init__()
        self.student_logits = student_logits
        self.teacher_logits = teacher_logits
        self.temperature = temperature

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        answer = self.student_logits(student.embedding) / self.temperature  # (B, n_classes)
        wanted = self.teacher_logits(teacher.embedding).detach() / self.temperature
        divergence = functional.kl_div(
            answer.log_softmax(dim=1), wanted.log_softmax(dim=1), log_target=True, reduction="batchmean"
        )
        # The gradient shrinks with the square of the temperature; so the term's weight is independent of it.
        return divergence * self.temperature**2
