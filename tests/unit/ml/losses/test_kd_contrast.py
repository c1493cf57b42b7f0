import math

import pytest

torch = pytest.importorskip("torch")

from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.losses.kd_contrast import KdContrast  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, leaves, transformer  # noqa: E402

LABELS = torch.tensor([0, 0, 1, 2, 3])


def written_out(student, teacher, temperature, left_out=()):
    total = 0.0
    for i, own in enumerate(LABELS.tolist()):
        powers = {}
        for j, other in enumerate(LABELS.tolist()):
            a, b = student.embedding[i].detach(), teacher.embedding[j].detach()
            if i == j or (own != other and (own, other) not in left_out and (other, own) not in left_out):
                powers[j] = math.exp(float(a @ b / (a.norm() * b.norm())) / temperature)
        total -= math.log(powers[i] / sum(powers.values())) / len(LABELS)
    return total


class TestKdContrast:
    @pytest.mark.parametrize("left_out", [(), ((0, 2), (3, 1))])
    def test_equals_the_choice_written_out(self, left_out):
        student, teacher = transformer(5), convolutional(5)
        term = KdContrast(6, 6, temperature=0.5, ignored_pairs=IgnoredPairs(4, left_out))

        expected = written_out(student, teacher, 0.5, left_out)
        assert term(student, teacher, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_where_all_others_are_left_out_nothing_is_learned(self):
        student = transformer(5)
        term = KdContrast(6, 6, ignored_pairs=IgnoredPairs(4, [(3, 0), (3, 1), (3, 2)]))

        term(student, convolutional(5), LABELS).backward()

        assert student.embedding.grad[4].abs().sum() == 0.0
        assert (student.embedding.grad[:4].abs().sum(dim=1) > 0.0).all()

    def test_a_shorter_embedding_is_projected(self):
        student, teacher = transformer(5, size=4), convolutional(5)
        term = KdContrast(4, 6)

        term(student, teacher, LABELS).backward()

        assert term.project.weight.grad.abs().sum() > 0.0
        assert all(leaf.grad is None for leaf in leaves(teacher))
