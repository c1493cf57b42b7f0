import math

import pytest

torch = pytest.importorskip("torch")

from pytorch_metric_learning import losses as published  # noqa: E402
from pytorch_metric_learning import miners, reducers  # noqa: E402

from ml.losses.batch_hard_triplet import BatchHardTriplet  # noqa: E402
from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from tests.unit.ml.losses.batches import embeddings  # noqa: E402

LABELS = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3])
HINGE = {"margin": 0.2}
SOFT = {"margin": 0.0, "softness": 0.1}


def written_out(vectors, labels, penalty, left_out=()):
    units = vectors.detach() / vectors.detach().norm(dim=1, keepdim=True)
    penalties = []
    for i, anchor in enumerate(labels):
        own = [float((units[i] - units[j]).norm()) for j, o in enumerate(labels) if o == anchor and j != i]
        others = [
            float((units[i] - units[j]).norm())
            for j, o in enumerate(labels)
            if o != anchor and (anchor, o) not in left_out and (o, anchor) not in left_out
        ]
        if own and others:
            penalties.append(penalty(max(own) - min(others)))
    return sum(penalties) / len(penalties)


class TestBatchHardTriplet:
    @pytest.mark.parametrize("left_out", [(), ((0, 1), (3, 2))])
    def test_hinge_equals_the_search_written_out(self, left_out):
        loss = BatchHardTriplet(**HINGE, ignored_pairs=IgnoredPairs(4, left_out))
        vectors = embeddings(8, 5)

        expected = written_out(vectors, LABELS.tolist(), lambda lack: max(0.0, lack + 0.2), left_out)
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_soft_margin_equals_the_search_written_out(self):
        loss = BatchHardTriplet(**SOFT)
        vectors = embeddings(8, 5)

        expected = written_out(vectors, LABELS.tolist(), lambda lack: 0.1 * math.log1p(math.exp(lack / 0.1)))
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_hinge_equals_the_library(self):
        vectors = embeddings(8, 5)
        theirs = published.TripletMarginLoss(margin=0.2, reducer=reducers.MeanReducer())

        expected = theirs(vectors, LABELS, miners.BatchHardMiner()(vectors, LABELS))
        torch.testing.assert_close(BatchHardTriplet(margin=0.2)(vectors, LABELS), expected)

    @pytest.mark.parametrize("options", [HINGE, SOFT])
    def test_order_of_the_batch_does_not_matter(self, options):
        loss = BatchHardTriplet(**options)
        vectors = embeddings(8, 5)
        order = torch.tensor([5, 2, 7, 0, 1, 6, 4, 3])

        torch.testing.assert_close(loss(vectors[order], LABELS[order]), loss(vectors, LABELS))

    def test_an_ignored_pair_gets_no_gradient(self):
        loss = BatchHardTriplet(margin=2.0, ignored_pairs=IgnoredPairs(4, [(0, 2), (1, 2), (2, 3)]))
        vectors = embeddings(8, 5)

        loss(vectors, LABELS).backward()

        assert vectors.grad[5].abs().sum() == 0.0  # The only sample of class 2.
        assert (vectors.grad[:2].abs().sum(dim=1) > 0.0).all()

    @pytest.mark.parametrize("options", [HINGE, SOFT])
    def test_margin_may_change_between_batches(self, options):
        loss = BatchHardTriplet(**options)
        vectors = embeddings(8, 5)
        before = loss(vectors, LABELS)

        loss.margin += 0.3

        assert loss(vectors, LABELS) > before

    @pytest.mark.parametrize("labels", [[0, 0], [0, 1]])
    def test_a_batch_without_triplets_has_a_loss_of_nothing_that_can_be_differentiated(self, labels):
        vectors = embeddings(2, 5)

        loss = BatchHardTriplet()(vectors, torch.tensor(labels))
        loss.backward()

        assert loss.item() == 0.0
        assert vectors.grad.abs().sum() == 0.0

    def test_equal_vectors_have_finite_gradients(self):
        vectors = torch.ones(4, 5, requires_grad=True)

        BatchHardTriplet()(vectors, torch.tensor([0, 0, 1, 1])).backward()

        assert torch.isfinite(vectors.grad).all()

    def test_bfloat16_autocast_changes_nothing(self):
        vectors = embeddings(8, 5)

        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = BatchHardTriplet()(vectors, LABELS)

        torch.testing.assert_close(found, BatchHardTriplet()(vectors, LABELS))
