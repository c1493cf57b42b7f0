import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from ml.research.dt4ecg.network.backbone_cnn import CnnOptions, CnnTrunk  # noqa: E402


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trunk(**changes):
    torch.manual_seed(0)
    return CnnTrunk(CnnOptions(**({"widths": (4, 6), "kernel": 3} | changes)))


class TestTrunk:
    @pytest.mark.parametrize("n_samples", [1, 299, 300, 301, 303])
    @pytest.mark.parametrize("widths", [(4,), (4, 6), (4, 6, 8)])
    def test_tells_width_and_steps_of_its_map(self, n_samples, widths):
        net = trunk(widths=widths).eval()

        assert net(random(2, n_samples)).shape == (2, net.width, net.n_steps(n_samples))

    def test_a_layer_is_the_larger_of_two_rectified_convolutions(self):
        net, windows = trunk(widths=(4,)).eval(), random(2, 12)
        block = net.layers[0]

        mapped = functional.conv1d(windows[:, None], block[0].weight[:, :, 0], padding=1)
        rectified = torch.relu(block[1](mapped[:, :, None])[:, :, 0])

        torch.testing.assert_close(net(windows), functional.max_pool1d(rectified, 2))

    def test_the_last_layer_is_the_last_convolution(self):
        assert trunk().last_layer.out_channels == 6

    def test_no_layers_are_refused(self):
        with pytest.raises(ValueError, match="at least one"):
            CnnOptions(widths=())
