import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.backbone_lstm import LstmOptions, LstmTrunk  # noqa: E402


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trunk(**changes):
    torch.manual_seed(0)
    return LstmTrunk(LstmOptions(**({"hidden": 3, "layers": 1} | changes)))


def numbers(parameter):
    return parameter.detach().numpy().astype(np.float64)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def states_by_hand(layer, window):
    """Gates one sample after the other; rows are in torch's order: input, forget, cell, output."""
    size = layer.hidden_size
    hidden, cell, states = np.zeros(size), np.zeros(size), []
    for sample in window:
        gates = numbers(layer.weight_ih_l0)[:, 0] * sample + numbers(layer.bias_ih_l0)
        gates = gates + numbers(layer.weight_hh_l0) @ hidden + numbers(layer.bias_hh_l0)
        take, keep, new, give = gates.reshape(4, size)
        cell = sigmoid(keep) * cell + sigmoid(take) * np.tanh(new)
        hidden = sigmoid(give) * np.tanh(cell)
        states.append(hidden)
    return np.array(states)


class TestTrunk:
    @pytest.mark.parametrize("read", ["last", "mean"])
    def test_reads_the_window_from_its_first_sample_to_its_last(self, read):
        net, windows = trunk(read=read), random(2, 12)

        features = net(windows).mean(dim=2)

        for one, window in zip(features, windows, strict=True):
            states = states_by_hand(net.layers[0], numbers(window))
            expected = states[-1] if read == "last" else states.mean(axis=0)
            np.testing.assert_allclose(numbers(one), expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize(("read", "n_steps"), [("last", 1), ("mean", 12)])
    def test_tells_width_and_steps_of_its_map(self, read, n_steps):
        net = trunk(read=read, layers=2)

        assert net(random(2, 12)).shape == (2, 3, n_steps)
        assert (net.width, net.n_steps(12)) == (3, n_steps)

    def test_the_last_layer_is_the_upper_one(self):
        net = trunk(layers=2)

        assert net.last_layer is net.layers[1]
        assert net.last_layer.input_size == 3

    @pytest.mark.parametrize(
        ("changes", "message"), [({"layers": 0}, "at least 1"), ({"read": "all"}, "last.*mean")]
    )
    def test_options_that_make_no_trunk_are_refused(self, changes, message):
        with pytest.raises(ValueError, match=message):
            LstmOptions(**changes)
