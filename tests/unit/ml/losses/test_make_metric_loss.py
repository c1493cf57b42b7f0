import pytest

torch = pytest.importorskip("torch")

from ml.losses import METRIC_LOSSES, make_metric_loss  # noqa: E402
from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from tests.unit.ml.losses.batches import embeddings  # noqa: E402


class TestMakeMetricLoss:
    @pytest.mark.parametrize("name", METRIC_LOSSES)
    def test_every_name_makes_a_loss_that_ignores_pairs(self, name):
        loss = make_metric_loss(name, n_classes=5, embedding_size=6, ignored_pairs=IgnoredPairs(5, [(0, 1)]))

        found = loss(embeddings(4, 6), torch.tensor([0, 0, 1, 2]))

        assert found.shape == ()
        assert torch.isfinite(found)

    def test_options_reach_the_loss(self):
        loss = make_metric_loss("arc_face", n_classes=5, embedding_size=6, margin=0.45)

        assert loss.margin == 0.45

    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(ValueError, match=r"'additive_margin', 'arc_face', .* got 'softmax'"):
            make_metric_loss("softmax", n_classes=5, embedding_size=6)
