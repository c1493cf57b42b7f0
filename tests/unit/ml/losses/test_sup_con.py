import math

import pytest

torch = pytest.importorskip("torch")

from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.losses.sup_con import SupCon  # noqa: E402
from tests.unit.ml.losses.batches import embeddings  # noqa: E402

LABELS = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3])


def written_out(vectors, labels, temperature, left_out=()):
    units = vectors.detach() / vectors.detach().norm(dim=1, keepdim=True)
    losses = []
    for i, anchor in enumerate(labels):
        own = [j for j, o in enumerate(labels) if o == anchor and j != i]
        others = [
            j
            for j, o in enumerate(labels)
            if o != anchor and (anchor, o) not in left_out and (o, anchor) not in left_out
        ]
        choices = sum(math.exp(float(units[i] @ units[j]) / temperature) for j in own + others)
        if own:
            found = [math.exp(float(units[i] @ units[j]) / temperature) / choices for j in own]
            losses.append(-sum(map(math.log, found)) / len(own))
    return sum(losses) / len(losses)


class TestSupCon:
    @pytest.mark.parametrize("left_out", [(), ((0, 1), (3, 2))])
    def test_equals_the_sum_written_out(self, left_out):
        loss = SupCon(temperature=0.2, ignored_pairs=IgnoredPairs(4, left_out))
        vectors = embeddings(8, 5)

        expected = written_out(vectors, LABELS.tolist(), 0.2, left_out)
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_an_ignored_pair_gets_no_gradient(self):
        loss = SupCon(ignored_pairs=IgnoredPairs(4, [(0, 2), (1, 2), (2, 3)]))
        vectors = embeddings(8, 5)

        loss(vectors, LABELS).backward()

        assert vectors.grad[5].abs().sum() == 0.0  # The only sample of class 2.
        assert (vectors.grad[:2].abs().sum(dim=1) > 0.0).all()

    def test_a_batch_without_pairs_can_be_differentiated(self):
        vectors = embeddings(3, 5)

        loss = SupCon()(vectors, torch.tensor([0, 1, 2]))
        loss.backward()

        assert loss.item() == 0.0

    def test_bfloat16_autocast_changes_nothing(self):
        vectors = embeddings(8, 5)

        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = SupCon()(vectors, LABELS)

        torch.testing.assert_close(found, SupCon()(vectors, LABELS))
