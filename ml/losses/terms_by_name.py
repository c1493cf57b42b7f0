"""Distillation terms by the names that recipes use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ml.losses.additive_margin import AdditiveMargin
from ml.losses.distillation import DistillationTerms, WeightedTerm
from ml.losses.distillation_term import DistillationTerm
from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.kd_attention import KdAttention
from ml.losses.kd_contrast import KdContrast
from ml.losses.kd_embedding import KdEmbedding
from ml.losses.kd_logit import KdLogit, LogitsOf
from ml.losses.kd_relation import KdRelation
from ml.losses.kd_stage import KdStage
from ml.losses.kd_token import KdTokenEmbedding, KdTokenLabel
from ml.models.features import Features


@dataclass(frozen=True)
class Apprenticeship:
    """A student and its teacher, as far as the terms need them.

    Args:
        student: Features of any batch, in training mode: only shapes count.
        teacher: The same.
        student_logits: `logits` of the student's class loss; None if it has none.
        teacher_logits: `logits` of the teacher's; None if it has none.
        ignored_pairs: Pairs of classes that do not count as different.
    """

    student: Features
    teacher: Features
    student_logits: LogitsOf | None = None
    teacher_logits: LogitsOf | None = None
    ignored_pairs: IgnoredPairs | None = None

    @property
    def sizes(self) -> tuple[int, int]:
        """Lengths of the embeddings of student and teacher."""
        return self.student.embedding.shape[1], self.teacher.embedding.shape[1]


def _logit(pair: Apprenticeship) -> DistillationTerm:
    return KdLogit(_present(pair.student_logits, "student"), _present(pair.teacher_logits, "teacher"))


def _token_label(pair: Apprenticeship) -> DistillationTerm:
    teacher_logits = _present(pair.teacher_logits, "teacher")
    n_classes = teacher_logits(pair.teacher.embedding).shape[1]
    classifier = AdditiveMargin(n_classes, pair.sizes[0], margin=0.0, ignored_pairs=pair.ignored_pairs)
    return KdTokenLabel(classifier, teacher_logits)


def _stage(pair: Apprenticeship) -> DistillationTerm:
    return KdStage(*([stage.shape[1] for stage in side.stages] for side in (pair.student, pair.teacher)))


def _attention(pair: Apprenticeship) -> DistillationTerm:
    # Only transformers have the token; one without attentions is then refused, not misread.
    has_tokens = pair.student.distillation is not None
    return KdAttention(with_attentions=has_tokens or bool(pair.student.attentions))


def _present(logits: LogitsOf | None, whose: str) -> LogitsOf:
    if logits is None:
        raise ValueError(f"the {whose} was trained without a class loss: it has no logits")
    return logits


DISTILLATION_TERMS: Mapping[str, Callable[[Apprenticeship], DistillationTerm]] = {
    "kd_logit": _logit,
    "kd_token_embedding": lambda pair: KdTokenEmbedding(*pair.sizes),
    "kd_token_label": _token_label,
    "kd_stage": _stage,
    "kd_attention": _attention,
    "kd_relation": lambda _: KdRelation(),
    "kd_embedding": lambda pair: KdEmbedding(*pair.sizes),
    "kd_contrast": lambda pair: KdContrast(*pair.sizes, ignored_pairs=pair.ignored_pairs),
}


def make_distillation_terms(
    weights: Mapping[str, float], pair: Apprenticeship, *, ramp: float = 0.0
) -> DistillationTerms:
    """Make the terms of a recipe.

    Args:
        weights: By name, see `DISTILLATION_TERMS`.
        pair: Student and teacher.
        ramp: Share of the training over which the weights rise from 0.

    Raises:
        ValueError: An unknown name (the message lists the known ones), or a term impossible for this pair.
    """
    if unknown := sorted(set(weights) - set(DISTILLATION_TERMS)):
        raise ValueError(f"distillation terms: unknown {unknown}, known are {sorted(DISTILLATION_TERMS)}")
    return DistillationTerms(
        {name: WeightedTerm(DISTILLATION_TERMS[name](pair), weight, ramp) for name, weight in weights.items()}
    )
