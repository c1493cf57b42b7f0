import pytest

torch = pytest.importorskip("torch")

from ml.losses.kd_attention import KdAttention  # noqa: E402
from ml.models.features import Features  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, leaves, random, transformer, with_gradients  # noqa: E402

LABELS = torch.tensor([0, 1])


def of_unit_norm(curve):
    return curve / curve.norm()


def energy(stage, sample, moments):
    """Mean square of all channels, averaged over equal shares of the time."""
    squares = [float((stage[sample, :, t] ** 2).mean()) for t in range(stage.shape[2])]
    share = len(squares) // moments
    return torch.tensor([sum(squares[t * share : (t + 1) * share]) / share for t in range(moments)])


class TestKdAttention:
    def test_equals_the_difference_of_attention_and_energy_written_out(self):
        student, teacher = transformer(2), convolutional(2)

        found = KdAttention(with_attentions=True)(student, teacher, LABELS)

        distances = []
        for block, stage in ((3, teacher.stages[0]), (5, teacher.stages[1])):  # Six blocks are three stages.
            for i in range(2):
                looked_at = torch.zeros(4)
                for head in range(2):
                    for extra in range(2):
                        looked_at += student.attentions[block][i, head, extra, 2:].detach() / 4
                difference = of_unit_norm(looked_at) - of_unit_norm(energy(stage.detach(), i, 4))
                distances.append(float((difference**2).sum()))
        assert found.item() == pytest.approx(sum(distances) / len(distances), rel=1e-4)

    def test_a_convolutional_student_is_compared_by_energy(self):
        student = with_gradients(Features(random(2, 6), (random(2, 3, 4, seed=5),)))
        teacher = convolutional(2)

        found = KdAttention(with_attentions=False)(student, teacher, LABELS)

        distances = []
        for i in range(2):
            mine, wanted = energy(student.stages[0].detach(), i, 4), energy(teacher.stages[1].detach(), i, 4)
            distances.append(float(((of_unit_norm(mine) - of_unit_norm(wanted)) ** 2).sum()))
        assert found.item() == pytest.approx(sum(distances) / 2, rel=1e-4)

    def test_loudness_does_not_matter(self):
        student = convolutional(2)
        louder = student._replace(stages=tuple(5.0 * stage for stage in student.stages))

        assert KdAttention(with_attentions=False)(louder, student, LABELS).item() == pytest.approx(
            0.0, abs=1e-6
        )

    def test_attentions_learn_and_the_teacher_does_not(self):
        student, teacher = transformer(2), convolutional(2)

        KdAttention(with_attentions=True)(student, teacher, LABELS).backward()

        assert all(student.attentions[block].grad.abs().sum() > 0.0 for block in (3, 5))
        assert all(leaf.grad is None for leaf in leaves(teacher))

    def test_a_transformer_that_keeps_its_attentions_to_itself_is_refused(self):
        silent = transformer(2)._replace(attentions=())

        with pytest.raises(ValueError, match="gives no attentions"):
            KdAttention(with_attentions=True)(silent, convolutional(2), LABELS)
