import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.backbone_densenet import (  # noqa: E402
    DenseLayer,
    DenseNetOptions,
    DenseNetTrunk,
)

SMALL = {"stem_width": 8, "growth": 4, "layers": (2, 3)}


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestTrunk:
    @pytest.mark.parametrize("n_samples", [1, 299, 300, 301, 305])
    @pytest.mark.parametrize("layers", [(1,), (2, 3), (1, 1, 1)])
    def test_tells_width_and_steps_of_its_map(self, n_samples, layers):
        net = DenseNetTrunk(DenseNetOptions(**(SMALL | {"layers": layers}))).eval()

        assert net(random(2, n_samples)).shape == (2, net.width, net.n_steps(n_samples))

    def test_blocks_grow_and_transitions_halve_channels(self):
        assert DenseNetTrunk(DenseNetOptions(**SMALL)).width == (8 + 2 * 4) // 2 + 3 * 4

    def test_the_last_layer_is_the_last_growing_convolution(self):
        layer = DenseNetTrunk(DenseNetOptions(**SMALL)).last_layer

        assert (layer.in_channels, layer.out_channels) == (16, 4)

    @pytest.mark.parametrize("layers", [(), (2, 0)])
    def test_blocks_without_layers_are_refused(self, layers):
        with pytest.raises(ValueError, match="at least one"):
            DenseNetOptions(layers=layers)


class TestDenseLayer:
    def test_puts_new_channels_behind_those_it_reads(self):
        layer, x = DenseLayer(6, DenseNetOptions(growth=4)).eval(), random(2, 6, 1, 9)

        out = layer(x)

        assert out.shape == (2, 10, 1, 9)
        torch.testing.assert_close(out[:, :6], x)
        torch.testing.assert_close(out[:, 6:], layer.grow(x))

    def test_a_bottleneck_comes_before_the_convolution_over_time(self):
        layer = DenseLayer(6, DenseNetOptions(growth=4, bottleneck=3))

        convolutions = [m for m in layer.grow if isinstance(m, torch.nn.Conv2d)]
        assert [(c.in_channels, c.out_channels, c.kernel_size[1]) for c in convolutions] == [
            (6, 12, 1),
            (12, 4, 3),
        ]
