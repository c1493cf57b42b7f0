import pytest

torch = pytest.importorskip("torch")

from ml.losses.kd_stage import KdStage  # noqa: E402
from ml.models.features import Features  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, leaves, random, transformer, with_gradients  # noqa: E402

LABELS = torch.tensor([0, 1])


def centered(vector):
    return (vector - vector.mean()) / (vector.var(unbiased=False) + 1e-5).sqrt()


def cosine(a, b):
    return (a @ b / (a.norm() * b.norm())).item()


class TestKdStage:
    def test_equals_the_cosines_written_out(self):
        student, teacher = transformer(2), convolutional(2)
        term = KdStage([3, 3, 3], [5, 7])

        found = term(student, teacher, LABELS)

        # The teacher's 8 moments are averaged to the student's 4; its 4 are taken as they are.
        wanted = [teacher.stages[0].reshape(2, 5, 4, 2).mean(dim=3), teacher.stages[1]]
        distances = []
        for project, seen, wants in zip(term.projectors, student.stages[1:], wanted, strict=True):
            for i in range(2):
                for t in range(4):
                    projected = project[1].weight @ centered(seen[i, :, t]) + project[1].bias
                    distances.append(1.0 - cosine(projected, centered(wants[i, :, t])))
        assert found.item() == pytest.approx(sum(distances) / len(distances), rel=1e-4)

    def test_scale_and_offset_of_the_teachers_maps_do_not_matter(self):
        student, teacher = transformer(2), convolutional(2)
        term = KdStage([3, 3, 3], [5, 7])
        louder = teacher._replace(stages=tuple(9.0 * stage + 4.0 for stage in teacher.stages))

        torch.testing.assert_close(
            term(student, louder, LABELS), term(student, teacher, LABELS), atol=1e-4, rtol=0
        )

    def test_a_teacher_slower_than_the_student_is_repeated_in_time(self):
        student = with_gradients(Features(random(2, 6), (random(2, 3, 23),)))
        teacher = with_gradients(Features(random(2, 6), (random(2, 7, 12),)))

        found = KdStage([3], [7])(student, teacher, LABELS)

        assert torch.isfinite(found)

    def test_the_paired_stages_and_the_projectors_learn(self):
        student, teacher = transformer(2), convolutional(2)
        term = KdStage([3, 3, 3], [5, 7])

        term(student, teacher, LABELS).backward()

        assert student.stages[0].grad is None  # The teacher has two stages only.
        assert all(stage.grad.abs().sum() > 0.0 for stage in student.stages[1:])
        assert all(parameter.grad is not None for parameter in term.parameters())
        assert all(leaf.grad is None for leaf in leaves(teacher))
