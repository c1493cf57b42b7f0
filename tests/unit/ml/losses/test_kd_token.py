import pytest

torch = pytest.importorskip("torch")

from ml.losses.additive_margin import AdditiveMargin  # noqa: E402
from ml.losses.kd_token import KdTokenEmbedding, KdTokenLabel  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, transformer  # noqa: E402

LABELS = torch.tensor([0, 1, 2])


class TestKdTokenEmbedding:
    def test_is_one_less_the_mean_cosine(self):
        student, teacher = transformer(3), convolutional(3)

        found = KdTokenEmbedding(6, 6)(student, teacher, LABELS)

        cosines = [
            (a @ b / (a.norm() * b.norm())).item()
            for a, b in zip(student.distillation, teacher.embedding, strict=True)
        ]
        assert found.item() == pytest.approx(1.0 - sum(cosines) / 3, rel=1e-5)

    def test_only_the_token_learns(self):
        student = transformer(3)

        KdTokenEmbedding(6, 6)(student, convolutional(3), LABELS).backward()

        assert student.distillation.grad.abs().sum() > 0.0
        assert student.embedding.grad is None

    def test_a_student_without_the_token_is_refused(self):
        with pytest.raises(ValueError, match="no distillation token"):
            KdTokenEmbedding(6, 6)(convolutional(3), convolutional(3), LABELS)


class TestKdTokenLabel:
    def test_is_the_class_loss_of_what_the_teacher_names(self):
        classifier, of_teacher = AdditiveMargin(5, 6, margin=0.0), AdditiveMargin(5, 6)
        student, teacher = transformer(3), convolutional(3)

        found = KdTokenLabel(classifier, of_teacher.logits)(student, teacher, LABELS)

        named = torch.tensor(
            [max(range(5), key=row.__getitem__) for row in of_teacher.logits(teacher.embedding)]
        )
        torch.testing.assert_close(found, classifier(student.distillation, named))

    def test_the_classifier_learns_and_the_teachers_head_does_not(self):
        classifier, of_teacher = AdditiveMargin(5, 6, margin=0.0), AdditiveMargin(5, 6)
        term = KdTokenLabel(classifier, of_teacher.logits)

        term(transformer(3), convolutional(3), LABELS).backward()

        assert [name for name, _ in term.named_parameters()] == ["classifier.centers"]
        assert classifier.centers.grad.abs().sum() > 0.0
        assert of_teacher.centers.grad is None

    def test_a_student_without_the_token_is_refused(self):
        head = AdditiveMargin(5, 6)

        with pytest.raises(ValueError, match="no distillation token"):
            KdTokenLabel(head, head.logits)(convolutional(3), convolutional(3), LABELS)
