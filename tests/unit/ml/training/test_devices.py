import pytest

torch = pytest.importorskip("torch")

from ml.losses import METRIC_LOSSES, make_metric_loss  # noqa: E402
from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.models.networks import NETWORKS, make_network  # noqa: E402
from ml.training.devices import (  # noqa: E402
    DeviceError,
    chosen_device,
    device_of,
    random_state,
    set_random_state,
)
from tests.unit.ml.training.homeless import HomelessTensorError, NoHomelessTensors  # noqa: E402

CPU = torch.device("cpu")
WIDTHS = {"deit1d": 368, "resnet1d": 368, "beat_net": 88}


class TestChosenDevice:
    def test_is_a_gpu_if_there_is_one(self):
        expected = "cuda" if torch.cuda.is_available() else "cpu"

        assert chosen_device().type == expected

    def test_is_the_requested_one(self):
        assert chosen_device("cpu") == CPU

    @pytest.mark.parametrize("name", ["abacus", "cuda:99", "meta"])
    def test_one_that_cannot_compute_is_refused(self, name):
        with pytest.raises(DeviceError, match=f"{name}.*cannot be used"):
            chosen_device(name)


class TestDeviceOf:
    def test_is_where_the_weights_are(self):
        assert device_of(torch.nn.Linear(2, 2, device="meta")).type == "meta"
        assert device_of(torch.nn.ReLU()) == CPU


class TestRandomState:
    def test_draws_go_on_from_it(self):
        state = random_state(CPU)
        first = torch.rand(3)

        set_random_state(state, CPU)

        assert torch.equal(torch.rand(3), first)


class TestNoTensorIsMadeWithoutADevice:
    @pytest.mark.parametrize("name", sorted(NETWORKS))
    def test_by_a_network(self, name):
        network = make_network(name, {})
        signals = torch.randn(3, WIDTHS[name])

        with NoHomelessTensors():
            network(signals).embedding.sum().backward()

    @pytest.mark.parametrize("name", sorted(METRIC_LOSSES))
    def test_by_a_loss(self, name):
        pairs = IgnoredPairs(5, [(0, 4)])
        loss = make_metric_loss(name, n_classes=5, embedding_size=8, ignored_pairs=pairs)
        embeddings, labels = torch.randn(8, 8, requires_grad=True), torch.tensor([0, 1, 2, 4] * 2)

        with NoHomelessTensors():
            loss(embeddings, labels).backward()

    def test_which_this_would_find(self):
        with NoHomelessTensors(), pytest.raises(HomelessTensorError, match="arange"):
            torch.zeros(3, device="cpu")[torch.arange(3)]
