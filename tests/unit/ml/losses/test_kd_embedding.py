import pytest

torch = pytest.importorskip("torch")

from ml.losses.kd_embedding import KdEmbedding  # noqa: E402
from ml.models.features import Features  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, leaves, transformer  # noqa: E402

LABELS = torch.tensor([0, 1, 2])


class TestKdEmbedding:
    def test_is_one_less_the_mean_cosine(self):
        student, teacher = transformer(3), convolutional(3)

        found = KdEmbedding(6, 6)(student, teacher, LABELS)

        cosines = [
            (a @ b / (a.norm() * b.norm())).item()
            for a, b in zip(student.embedding, teacher.embedding, strict=True)
        ]
        assert found.item() == pytest.approx(1.0 - sum(cosines) / 3, rel=1e-5)

    def test_the_teachers_own_direction_is_no_loss(self):
        teacher = convolutional(3)

        found = KdEmbedding(6, 6)(Features(5.0 * teacher.embedding), teacher, LABELS)

        assert found.item() == pytest.approx(0.0, abs=1e-6)

    def test_equal_lengths_need_no_projector(self):
        assert list(KdEmbedding(6, 6).parameters()) == []

    def test_a_shorter_embedding_is_projected_and_both_learn(self):
        student, teacher = transformer(3, size=4), convolutional(3)
        term = KdEmbedding(4, 6)

        term(student, teacher, LABELS).backward()

        assert student.embedding.grad.abs().sum() > 0.0
        assert term.project.weight.grad.abs().sum() > 0.0
        assert all(leaf.grad is None for leaf in leaves(teacher))
