import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.backbone_efficientnet import (  # noqa: E402
    EfficientNetOptions,
    EfficientNetTrunk,
    InvertedBottleneck,
)

SMALL = {
    "stem_width": 4,
    "widths": (4, 6),
    "repeats": (1, 2),
    "strides": (1, 2),
    "kernels": (3, 5),
    "expansions": (1, 2),
    "head_width": 12,
}


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trunk(**changes):
    torch.manual_seed(0)
    return EfficientNetTrunk(EfficientNetOptions(**(SMALL | changes)))


class TestTrunk:
    @pytest.mark.parametrize("n_samples", [1, 299, 300, 301])
    @pytest.mark.parametrize("strides", [(1, 1), (1, 2), (2, 2)])
    def test_tells_width_and_steps_of_its_map(self, n_samples, strides):
        net = trunk(strides=strides).eval()

        assert net(random(2, n_samples)).shape == (2, 12, net.n_steps(n_samples))

    def test_only_the_first_block_of_a_stage_has_a_stride(self):
        strides = [block.over_time[0].stride[1] for block in trunk().blocks]

        assert strides == [1, 2, 1]

    def test_the_last_layer_is_the_last_convolution(self):
        layer = trunk().last_layer

        assert (layer.in_channels, layer.out_channels) == (6, 12)

    @pytest.mark.parametrize(
        "changes", [{"repeats": (1,)}, {name: () for name in SMALL if name.endswith("s")}]
    )
    def test_stages_that_do_not_agree_are_refused(self, changes):
        with pytest.raises(ValueError, match="same stages"):
            EfficientNetOptions(**(SMALL | changes))


class TestInvertedBottleneck:
    def test_is_wide_inside_and_narrow_outside(self):
        block = InvertedBottleneck(4, 6, 5, stride=2, expansion=3)

        assert block.widen[0].out_channels == block.over_time[0].groups == block.narrow[0].in_channels == 12
        assert block.over_time[0].kernel_size == (1, 5)

    def test_without_expansion_nothing_is_widened(self):
        assert list(InvertedBottleneck(4, 6, 3, stride=1, expansion=1).widen.parameters()) == []

    def test_where_shapes_agree_the_input_is_added(self):
        block, x = InvertedBottleneck(4, 4, 3, stride=1, expansion=2).eval(), random(2, 4, 1, 9)
        torch.nn.init.zeros_(block.narrow[1].weight)

        torch.testing.assert_close(block(x), x)

    @pytest.mark.parametrize(("width", "stride"), [(6, 1), (4, 2)])
    def test_where_they_do_not_the_path_stands_alone(self, width, stride):
        block, x = InvertedBottleneck(4, width, 3, stride=stride, expansion=2).eval(), random(2, 4, 1, 9)
        torch.nn.init.zeros_(block.narrow[1].weight)

        torch.testing.assert_close(block(x), torch.zeros(2, width, 1, -(-9 // stride)))

    def test_the_narrowing_convolution_is_linear(self):
        block = InvertedBottleneck(4, 6, 3, stride=1, expansion=2).eval()

        assert float(block(random(8, 4, 1, 40)).detach().amin()) < 0.0

    def test_squeezes_to_a_quarter_of_the_channels_read(self):
        block = InvertedBottleneck(16, 6, 3, stride=1, expansion=6)

        assert block.squeeze.gate[0].out_features == 4
