import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from ml.research.dt4ecg.network.backbone_mobilenet import (  # noqa: E402
    MobileNetOptions,
    MobileNetTrunk,
    separable_block,
)


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestTrunk:
    @pytest.mark.parametrize("n_samples", [1, 299, 300, 301])
    @pytest.mark.parametrize("strides", [(1, 1), (1, 2), (2, 2)])
    def test_tells_width_and_steps_of_its_map(self, n_samples, strides):
        net = MobileNetTrunk(MobileNetOptions(stem_width=4, widths=(6, 8), strides=strides)).eval()

        assert net(random(2, n_samples)).shape == (2, 8, net.n_steps(n_samples))

    def test_the_last_layer_is_the_last_convolution_over_channels(self):
        layer = MobileNetTrunk(MobileNetOptions()).last_layer

        assert (layer.in_channels, layer.out_channels, layer.kernel_size) == (256, 256, (1, 1))

    @pytest.mark.parametrize("widths", [(), (4, 4, 4)])
    def test_blocks_that_do_not_agree_are_refused(self, widths):
        with pytest.raises(ValueError, match="same blocks"):
            MobileNetOptions(widths=widths, strides=(1, 1)[: len(widths)])


class TestSeparableBlock:
    def test_convolves_each_channel_alone_then_all_at_each_step(self):
        torch.manual_seed(0)
        block, x = separable_block(3, 5, 3, stride=2).eval(), random(2, 3, 1, 11)
        depthwise, pointwise = block

        alone = torch.stack(
            [
                functional.conv1d(x[:, c], depthwise[0].weight[c : c + 1, :, 0], stride=2, padding=1)[:, 0]
                for c in range(3)
            ],
            dim=1,
        )
        alone = torch.relu(depthwise[1](alone[:, :, None])[:, :, 0])
        mixed = torch.einsum("dc,bct->bdt", pointwise[0].weight[:, :, 0, 0], alone)

        expected = torch.relu(pointwise[1](mixed[:, :, None]))
        torch.testing.assert_close(block(x), expected)

    def test_needs_far_fewer_weights_than_a_convolution(self):
        block = separable_block(32, 64, 3, stride=1)

        weights = sum(p.numel() for p in block.parameters() if p.ndim > 1)

        assert weights == 32 * 3 + 32 * 64
