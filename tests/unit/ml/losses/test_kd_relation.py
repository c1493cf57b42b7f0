import pytest

torch = pytest.importorskip("torch")

from ml.losses.kd_relation import KdRelation  # noqa: E402
from ml.models.features import Features  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, leaves, random, transformer, with_gradients  # noqa: E402

LABELS = torch.tensor([0, 0, 1, 2, 3])


def units(features):
    vectors = features.embedding.detach()
    return vectors / vectors.norm(dim=1, keepdim=True)


def huber(difference):
    return 0.5 * difference**2 if abs(difference) < 1.0 else abs(difference) - 0.5


def distances(vectors):
    n = len(vectors)
    found = [float((vectors[i] - vectors[j]).norm()) for i in range(n) for j in range(i + 1, n)]
    return [distance * len(found) / sum(found) for distance in found]


def angle_cosines(vectors):
    n = len(vectors)
    found = []
    for corner in range(n):
        for one in range(n):
            for other in range(n):
                a, b = vectors[one] - vectors[corner], vectors[other] - vectors[corner]
                degenerate = corner in {one, other}
                found.append(0.0 if degenerate else float(a @ b / (a.norm() * b.norm())))
    return found


def mean_huber(ones, others):
    return sum(huber(a - b) for a, b in zip(ones, others, strict=True)) / len(ones)


class TestKdRelation:
    def test_distances_equal_the_pairs_written_out(self):
        student, teacher = transformer(5), convolutional(5)

        found = KdRelation(distance_weight=1.0, angle_weight=0.0)(student, teacher, LABELS)

        expected = mean_huber(distances(units(student)), distances(units(teacher)))
        assert found.item() == pytest.approx(expected, rel=1e-4)

    def test_angles_equal_the_triples_written_out(self):
        student, teacher = transformer(5), convolutional(5)

        found = KdRelation(distance_weight=0.0, angle_weight=1.0)(student, teacher, LABELS)

        expected = mean_huber(angle_cosines(units(student)), angle_cosines(units(teacher)))
        assert found.item() == pytest.approx(expected, rel=1e-4)

    def test_only_the_start_of_the_batch_forms_triples(self):
        student, teacher = transformer(5), convolutional(5)
        term = KdRelation(distance_weight=0.0, angle_samples=3)
        start = (Features(student.embedding[:3]), Features(teacher.embedding[:3]))

        torch.testing.assert_close(term(student, teacher, LABELS), term(*start, LABELS[:3]))

    def test_rotation_and_scale_of_the_teachers_space_do_not_matter(self):
        student = convolutional(5)
        rotation, _ = torch.linalg.qr(random(6, 6, seed=3))

        found = KdRelation()(student, Features(7.0 * student.embedding @ rotation), LABELS)

        assert found.item() == pytest.approx(0.0, abs=1e-6)

    def test_lengths_of_embeddings_may_differ(self):
        found = KdRelation()(transformer(5, size=4), convolutional(5, size=6), LABELS)

        assert torch.isfinite(found)

    def test_windows_that_the_student_cannot_separate_have_bounded_gradients(self):
        student = with_gradients(Features(random(1, 6).repeat(5, 1)))

        KdRelation()(student, convolutional(5), LABELS).backward()

        assert student.embedding.grad.abs().max() < 1e6

    def test_student_learns_and_teacher_does_not(self):
        student, teacher = transformer(5), convolutional(5)

        KdRelation()(student, teacher, LABELS).backward()

        assert student.embedding.grad.abs().sum() > 0.0
        assert all(leaf.grad is None for leaf in leaves(teacher))
