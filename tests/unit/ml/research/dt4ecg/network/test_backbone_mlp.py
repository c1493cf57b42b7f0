import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.backbone_mlp import MlpOptions, MlpTrunk  # noqa: E402


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trunk(**changes):
    torch.manual_seed(0)
    return MlpTrunk(20, MlpOptions(**({"hidden": (6, 4)} | changes)))


class TestTrunk:
    def test_gives_a_map_of_one_step(self):
        net = trunk()

        assert net(random(3, 20)).shape == (3, 4, 1)
        assert (net.width, net.n_steps(20)) == (4, 1)

    def test_is_layers_with_relu(self):
        net, windows = trunk(), random(3, 20)
        first, last = net.layers[0], net.layers[2]

        hidden = (windows @ first.weight.T + first.bias).clamp_min(0.0)
        expected = (hidden @ last.weight.T + last.bias).clamp_min(0.0)

        torch.testing.assert_close(net(windows)[:, :, 0], expected)

    def test_the_last_layer_is_the_last_with_weights(self):
        assert trunk().last_layer.out_features == 4

    def test_another_length_is_refused(self):
        with pytest.raises(ValueError, match="made for 20 samples, got 21"):
            trunk()(random(3, 21))

    def test_no_layers_are_refused(self):
        with pytest.raises(ValueError, match="at least one"):
            MlpOptions(hidden=())
