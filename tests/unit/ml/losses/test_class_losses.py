"""The losses with one direction per class, by one set of rules: they differ only in the margin."""

import math

import pytest

torch = pytest.importorskip("torch")

from pytorch_metric_learning import losses as published  # noqa: E402

from ml.losses.additive_margin import AdditiveMargin  # noqa: E402
from ml.losses.arc_face import ArcFace  # noqa: E402
from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.losses.sub_center import SubCenterArcFace  # noqa: E402
from tests.unit.ml.losses.batches import embeddings  # noqa: E402

LABELS = torch.tensor([0, 1, 1, 4, 3])
LOSSES = [AdditiveMargin, ArcFace, SubCenterArcFace]


def cosine(a, b):
    return (a @ b / (a.norm() * b.norm())).item()


def slow_cross_entropy(vectors, loss, left_out=()):
    """Sample by sample and class by class; the nearest center of a class counts."""
    total = 0.0
    lowered, scale = MARGINS[type(loss)], loss.scale
    for vector, label in zip(vectors.detach(), LABELS.tolist(), strict=True):
        cosines = [max(cosine(vector, centers[c]) for centers in loss.centers.detach()) for c in range(5)]
        kept = [c for c in range(5) if (label, c) not in left_out and (c, label) not in left_out]
        own = math.exp(scale * lowered(cosines[label]))
        total -= math.log(own / (own + sum(math.exp(scale * cosines[c]) for c in kept if c != label)))
    return total / len(LABELS)


MARGINS = {
    AdditiveMargin: lambda cosine: cosine - 0.3,
    ArcFace: lambda cosine: math.cos(math.acos(cosine) + 0.3),
    SubCenterArcFace: lambda cosine: math.cos(math.acos(cosine) + 0.3),
}


@pytest.fixture(params=LOSSES)
def loss(request):
    torch.manual_seed(1)  # Other directions than those of the embeddings.
    return request.param(5, 6, scale=8.0, margin=0.3)


class TestEveryClassLoss:
    def test_equals_the_sum_written_out(self, loss):
        vectors = embeddings(5, 6)

        expected = slow_cross_entropy(vectors, loss)
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_ignored_classes_are_left_out_of_the_sum(self, loss):
        pairs = {(0, 3), (1, 4), (1, 0)}
        loss.ignored_pairs = IgnoredPairs(5, pairs)
        vectors = embeddings(5, 6)

        expected = slow_cross_entropy(vectors, loss, pairs)
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_an_ignored_class_gets_no_gradient(self, loss):
        loss.ignored_pairs = IgnoredPairs(5, [(0, 3)])

        loss(embeddings(1, 6), torch.tensor([0])).backward()

        moved = loss.centers.grad.abs().sum(dim=(0, 2))
        assert moved[3] == 0.0
        assert (moved[[0, 1, 2, 4]] > 0.0).all()

    @pytest.mark.parametrize("pairs", [(), ((0, 3), (1, 4))])
    def test_gradients_are_those_of_the_values(self, loss, pairs):
        loss.ignored_pairs = IgnoredPairs(5, pairs)
        vectors = embeddings(5, 6)

        loss(vectors, LABELS).backward()

        step = torch.zeros_like(vectors)
        step[2, 1] = 1e-2
        with torch.no_grad():
            slope = (loss(vectors + step, LABELS) - loss(vectors - step, LABELS)) / 2e-2
        assert vectors.grad[2, 1].item() == pytest.approx(slope.item(), rel=1e-2, abs=1e-4)

    def test_length_of_an_embedding_does_not_matter(self, loss):
        vectors = embeddings(5, 6)

        assert loss(7.0 * vectors, LABELS).item() == pytest.approx(loss(vectors, LABELS).item(), rel=1e-5)

    def test_margin_may_change_between_batches(self, loss):
        vectors = embeddings(5, 6)
        loss.margin = 0.0
        without = loss(vectors, LABELS)

        loss.margin = 0.3

        assert loss(vectors, LABELS) > without

    def test_without_a_margin_it_is_cross_entropy_of_the_logits(self, loss):
        vectors = embeddings(5, 6)
        loss.margin = 0.0

        expected = torch.nn.functional.cross_entropy(loss.logits(vectors), LABELS)
        torch.testing.assert_close(loss(vectors, LABELS), expected)

    def test_bfloat16_autocast_changes_nothing(self, loss):
        vectors = embeddings(5, 6)

        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = loss(vectors, LABELS)

        torch.testing.assert_close(found, loss(vectors, LABELS))

    def test_bfloat16_embeddings_give_a_float32_loss_and_finite_gradients(self, loss):
        vectors = embeddings(5, 6)

        found = loss(vectors.bfloat16(), LABELS)
        found.backward()

        assert found.dtype == torch.float32
        assert torch.isfinite(vectors.grad).all()

    def test_an_embedding_on_its_class_has_finite_gradients(self, loss):
        vectors = loss.centers[0, :1].detach().clone().requires_grad_()

        loss(vectors, torch.tensor([0])).backward()

        assert torch.isfinite(vectors.grad).all()
        assert torch.isfinite(loss.centers.grad).all()


class TestAgainstTheLibrary:
    """Its formulas are read by many; ours exist for ignored pairs and for margins that change."""

    def test_additive_margin(self):
        ours = AdditiveMargin(5, 6, scale=30.0, margin=0.35)
        theirs = published.CosFaceLoss(5, 6, margin=0.35, scale=30.0)
        theirs.W.data = ours.centers[0].detach().T

        torch.testing.assert_close(ours(embeddings(5, 6), LABELS), theirs(embeddings(5, 6), LABELS))

    # Beyond 180° less a margin of 2 the straight line takes over, for about half of the samples.
    @pytest.mark.parametrize("margin", [0.0, 0.5, 2.0])
    def test_arc_face(self, margin):
        ours = ArcFace(5, 6, scale=30.0, margin=margin)
        theirs = published.ArcFaceLoss(5, 6, margin=math.degrees(margin), scale=30.0)
        theirs.W.data = ours.centers[0].detach().T

        torch.testing.assert_close(ours(embeddings(5, 6), LABELS), theirs(embeddings(5, 6), LABELS))

    def test_sub_center(self):
        ours = SubCenterArcFace(5, 6, scale=30.0, margin=0.4, sub_centers=3)
        theirs = published.SubCenterArcFaceLoss(
            num_classes=5, embedding_size=6, margin=math.degrees(0.4), scale=30.0, sub_centers=3
        )
        theirs.W.data = ours.centers.detach().transpose(0, 1).reshape(15, 6).T

        torch.testing.assert_close(ours(embeddings(5, 6), LABELS), theirs(embeddings(5, 6), LABELS))


class TestSubCenterArcFace:
    def test_only_the_nearest_direction_of_a_class_moves(self):
        loss = SubCenterArcFace(5, 6, sub_centers=2)
        vectors = loss.centers[1, :1].detach().clone()

        loss(vectors, torch.tensor([0])).backward()

        assert loss.centers.grad[0, 0].abs().sum() == 0.0
        assert loss.centers.grad[1, 0].abs().sum() > 0.0
