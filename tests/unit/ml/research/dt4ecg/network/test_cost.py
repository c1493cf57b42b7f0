import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from ml.research.dt4ecg.network.attentions import ATTENTIONS  # noqa: E402
from ml.research.dt4ecg.network.backbones import BACKBONES  # noqa: E402
from ml.research.dt4ecg.network.cost import (  # noqa: E402
    count_parameters,
    measured_cost,
    multiply_accumulates,
    one_thread_latency,
)
from ml.research.dt4ecg.network.network import DualTaskConfig, DualTaskNetwork  # noqa: E402

# LSTM is no operation that torch counts.
COUNTED_BY_TORCH = [(b, "none") for b in BACKBONES if b != "lstm"] + [("resnet", a) for a in ATTENTIONS]


class Ticks:
    """A clock that tells how long each call shall have taken."""

    def __init__(self, taken_s):
        self.times = []
        for number, seconds in enumerate(taken_s):
            self.times += [100.0 * number, 100.0 * number + seconds]

    def __call__(self):
        return self.times.pop(0)


class Spy(nn.Module):
    """Notes how it was called."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.calls = []

    def forward(self, windows):
        self.calls.append((torch.get_num_threads(), torch.is_grad_enabled(), self.training))
        return self.layer(windows)


def network(backbone="resnet", attention="sca"):
    torch.manual_seed(0)
    return DualTaskNetwork(DualTaskConfig(backbone, attention, n_people=10, n_activities=5))


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


class TestCountParameters:
    # The paper prints no counts; these are the sums of the layers that the options name.
    @pytest.mark.parametrize(
        ("backbone", "attention", "expected"),
        [
            ("cnn", "none", 53_743),
            ("mobilenet", "none", 200_975),
            ("efficientnet", "none", 206_361),
            ("resnet", "none", 229_711),
            ("resnet", "sca", 233_377),
            ("densenet", "none", 193_975),
            ("lstm", "none", 51_407),
            ("mlp", "none", 111_887),
        ],
    )
    def test_default_networks_keep_their_size(self, backbone, attention, expected):
        assert count_parameters(network(backbone, attention)) == expected

    def test_the_resnet_is_the_sum_of_its_layers(self):
        def convolution(width_in, width, kernel):
            return width_in * width * kernel + 2 * width  # With scale and shift of the normalization.

        stem = convolution(1, 64, 7)
        first = convolution(64, 64, 3) + convolution(64, 64, 3) + convolution(64, 64, 1)
        second = convolution(64, 128, 3) + convolution(128, 128, 3) + convolution(64, 128, 1)
        third = convolution(128, 128, 3) + convolution(128, 128, 3) + convolution(128, 128, 1)
        heads = (128 + 1) * (10 + 5)

        assert count_parameters(network("resnet", "none")) == stem + first + second + third + heads

    def test_frozen_weights_do_not_count(self):
        layer = nn.Linear(4, 2)
        layer.bias.requires_grad_(False)

        assert count_parameters(layer) == 8


class TestMultiplyAccumulates:
    @pytest.mark.parametrize(("backbone", "attention"), COUNTED_BY_TORCH)
    def test_agrees_with_the_operations_that_torch_counts(self, backbone, attention):
        net = network(backbone, attention).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(torch.zeros(1, 300))

        assert multiply_accumulates(net, 300) == counter.get_total_flops() // 2

    def test_lstm_by_its_gates(self):
        gates = 300 * 4 * 64 * ((1 + 64) + (64 + 64))
        heads = 64 * (10 + 5)

        assert multiply_accumulates(network("lstm", "none"), 300) == gates + heads

    def test_sca_adds_a_weight_per_pair_of_steps_and_the_bottleneck(self):
        n_steps, width, hidden = 38, 128, 8

        added = multiply_accumulates(network("resnet", "sca"), 300) - multiply_accumulates(
            network("resnet", "none"), 300
        )

        assert added == n_steps * n_steps + 2 * width * hidden

    def test_a_layer_that_is_passed_twice_counts_twice(self):
        class Twice(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(4, 4)

            def forward(self, windows):
                return self.layer(self.layer(windows))

        assert multiply_accumulates(Twice(), 4) == 2 * 16

    def test_leaves_no_hooks_and_no_statistics_behind(self):
        net = network().train()
        before = {name: value.clone() for name, value in net.state_dict().items()}

        multiply_accumulates(net, 300)

        assert net.training
        assert not any(layer._forward_hooks for layer in net.modules())
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


class TestOneThreadLatency:
    def test_tells_median_and_tail_of_the_calls_timed(self):
        taken_s = [0.001 * number for number in range(1, 22)]

        latency = one_thread_latency(Spy(), 4, n_calls=21, n_warm_up=3, now_s=Ticks(taken_s))

        assert latency.median_ms == pytest.approx(11.0)
        assert latency.p95_ms == pytest.approx(20.0)

    def test_calls_on_one_thread_in_evaluation_without_gradients(self, two_threads):
        spy = Spy().train()

        one_thread_latency(spy, 4, n_calls=2, n_warm_up=1)

        assert spy.calls == [(1, False, False)] * 3
        assert torch.get_num_threads() == 2
        assert spy.training


class TestMeasuredCost:
    def test_is_all_three(self):
        net = network("mlp", "none")

        cost = measured_cost(net, 300)

        assert cost.parameters == count_parameters(net)
        assert cost.macs == 300 * 256 + 256 * 128 + 128 * 15
        assert 0.0 < cost.latency.median_ms <= cost.latency.p95_ms
