import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from ml.research.dt4ecg.network.convolution import ConvolutionBlock, convolution, rows  # noqa: E402


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestConvolution:
    @pytest.mark.parametrize("stride", [1, 2, 3])
    @pytest.mark.parametrize("groups", [1, 2])
    def test_is_one_of_one_dimension(self, stride, groups):
        layer, x = convolution(4, 6, 5, stride=stride, groups=groups), random(2, 4, 11)

        expected = functional.conv1d(x, layer.weight[:, :, 0], stride=stride, padding=2, groups=groups)

        torch.testing.assert_close(layer(x[:, :, None])[:, :, 0], expected)
        assert expected.shape[2] == -(-11 // stride)

    def test_an_even_kernel_is_refused(self):
        with pytest.raises(ValueError, match="odd number of samples, got 4"):
            convolution(4, 6, 4)


class TestExactConvolution:
    def test_is_exact_where_others_round(self):
        layer, x = convolution(4, 4, 3, groups=4), random(2, 4, 1, 11)

        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = layer(x)

        assert torch.equal(found, layer(x))


class TestConvolutionBlock:
    def test_normalizes_then_activates(self):
        block = ConvolutionBlock(1, 3, 3)
        x = rows(random(16, 40))

        out = block(x)

        normal = functional.batch_norm(block[0](x), None, None, training=True)
        torch.testing.assert_close(out, torch.relu(normal))


class TestRows:
    def test_time_is_the_last_axis(self):
        windows = random(2, 7)

        assert torch.equal(rows(windows)[:, 0, 0], windows)
        assert rows(windows).shape == (2, 1, 1, 7)
