import math

import pytest

torch = pytest.importorskip("torch")

from ml.losses.additive_margin import AdditiveMargin  # noqa: E402
from ml.losses.kd_logit import KdLogit  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, transformer  # noqa: E402

LABELS = torch.tensor([0, 1, 2])


def softened(logits, temperature):
    powers = [math.exp(logit / temperature) for logit in logits]
    return [power / sum(powers) for power in powers]


class TestKdLogit:
    def test_equals_the_divergence_written_out(self):
        of_student, of_teacher = AdditiveMargin(5, 6), AdditiveMargin(5, 6)
        student, teacher = transformer(3), convolutional(3)

        found = KdLogit(of_student.logits, of_teacher.logits, temperature=4.0)(student, teacher, LABELS)

        expected = 0.0
        answers = of_student.logits(student.embedding).tolist()
        for answer, wanted in zip(answers, of_teacher.logits(teacher.embedding).tolist(), strict=True):
            for p, q in zip(softened(wanted, 4.0), softened(answer, 4.0), strict=True):
                expected += 16.0 * p * math.log(p / q) / 3
        assert found.item() == pytest.approx(expected, rel=1e-4)

    def test_the_same_answer_is_no_loss(self):
        head = AdditiveMargin(5, 6)
        teacher = convolutional(3)

        assert KdLogit(head.logits, head.logits)(teacher, teacher, LABELS).item() == pytest.approx(
            0.0, abs=1e-5
        )

    def test_weights_of_the_heads_stay_their_own(self):
        term = KdLogit(AdditiveMargin(5, 6).logits, AdditiveMargin(5, 6).logits)

        assert list(term.parameters()) == []

    def test_the_teachers_head_gets_no_gradient(self):
        of_student, of_teacher = AdditiveMargin(5, 6), AdditiveMargin(5, 6)

        KdLogit(of_student.logits, of_teacher.logits)(transformer(3), convolutional(3), LABELS).backward()

        assert of_teacher.centers.grad is None
        assert of_student.centers.grad.abs().sum() > 0.0
