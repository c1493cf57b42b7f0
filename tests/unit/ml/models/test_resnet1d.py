import pytest

torch = pytest.importorskip("torch")

from ml.models.resnet1d import (  # noqa: E402
    AttentiveStatistics,
    ChannelAttention,
    ResidualBlock,
    ResNet1d,
    ResNet1dConfig,
)

SMALL = {"widths": (8, 12), "blocks": (1, 2), "kernels": (5, 3), "attention_size": 4, "embedding_size": 10}


def network(**changes):
    torch.manual_seed(0)
    return ResNet1d(ResNet1dConfig(**(SMALL | changes)))


def used(net):
    """With running statistics as after some training."""
    with torch.no_grad():
        for seed in range(5):
            net(random(16, 368, seed=seed))
    return net.eval()


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestConfig:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"widths": (8, 8, 8)}, "same stages"),
            ({"blocks": (1,)}, "same stages"),
            ({"widths": (), "blocks": (), "kernels": ()}, "at least one stage"),
            ({"blocks": (1, 0)}, "at least 1"),
            ({"widths": (0, 8)}, "at least 1"),
            ({"kernels": (3, -1)}, "at least 1"),
            ({"kernels": (3, 4)}, "odd"),
            ({"stem_kernel": 8}, "odd"),
        ],
    )
    def test_what_is_no_network_is_refused(self, changes, message):
        with pytest.raises(ValueError, match=message):
            ResNet1dConfig(**(SMALL | changes))

    def test_the_default_is_a_resnet_34(self):
        torch.manual_seed(0)
        net = ResNet1d(ResNet1dConfig())

        convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
        assert len([m for m in convolutions if m.kernel_size != (1, 1)]) == 1 + 2 * (3 + 4 + 6 + 3)
        assert sum(p.numel() for p in net.parameters()) == pytest.approx(7.3e6, rel=0.03)


class TestFeatures:
    @pytest.mark.parametrize(
        ("changes", "moments"),
        [
            ({}, [92, 46]),
            ({"stem_pool": False}, [184, 92]),
            ({"stem_stride": 1, "stem_pool": False}, [368, 184]),
            ({"squeeze": 4}, [92, 46]),
        ],
    )
    def test_stages_are_maps_that_halve_in_time(self, changes, moments):
        features = network(**changes)(random(3, 368))

        assert [tuple(stage.shape) for stage in features.stages] == [(3, 8, moments[0]), (3, 12, moments[1])]
        assert features.embedding.shape == (3, 10)
        assert features.embedding.dtype == torch.float32
        assert features.attentions == ()
        assert features.distillation is None

    @pytest.mark.parametrize("n_samples", [1, 2, 17, 365, 367])
    @pytest.mark.parametrize("squeeze", [0, 4])
    def test_odd_lengths_fit_too(self, n_samples, squeeze):
        features = used(network(squeeze=squeeze))(random(2, n_samples))

        assert features.embedding.shape == (2, 10)
        assert features.embedding.isfinite().all()

    def test_the_size_is_known(self):
        assert network(embedding_size=7).embedding_size == 7

    def test_at_inference_a_window_does_not_depend_on_its_neighbors(self):
        net, windows = used(network(squeeze=4, dropout=0.5)), random(6, 368)

        together, alone = net(windows), net(windows[4:5])

        torch.testing.assert_close(together.embedding[4:5], alone.embedding, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.stages[1][4:5], alone.stages[1], rtol=1e-4, atol=1e-5)

    def test_inference_changes_nothing_in_the_network(self):
        net = used(network())
        before = {name: value.clone() for name, value in net.state_dict().items()}

        net(random(6, 368))

        for name, value in net.state_dict().items():
            assert torch.equal(value, before[name]), name

    def test_flat_windows_give_numbers(self):
        assert used(network(squeeze=4))(torch.zeros(2, 368)).embedding.isfinite().all()

    def test_every_weight_has_a_gradient(self):
        net = network(squeeze=4)

        net(random(8, 368)).embedding.pow(3).sum().backward()

        assert [name for name, p in net.named_parameters() if p.grad is None] == []
        assert all(p.grad.isfinite().all() for p in net.parameters())

    def test_equal_seeds_give_equal_weights(self):
        windows = random(2, 368)

        torch.testing.assert_close(
            network().eval()(windows).embedding, network().eval()(windows).embedding, rtol=0, atol=0
        )


class TestResidualBlock:
    def test_with_a_silent_path_it_passes_its_input(self):
        block = ResidualBlock(4, 4, 3, 1, squeeze=0).eval()
        torch.nn.init.zeros_(block.path[4].weight)
        x = random(2, 4, 1, 9).abs()

        torch.testing.assert_close(block(x), x)

    def test_convolutions_are_those_of_one_dimension(self):
        block = ResidualBlock(2, 3, 5, 2, squeeze=0).eval()
        x = random(2, 2, 1, 11)

        found = block.path[0](x)[:, :, 0]

        expected = torch.nn.functional.conv1d(x[:, :, 0], block.path[0].weight[:, :, 0], stride=2, padding=2)
        torch.testing.assert_close(found, expected)


class TestChannelAttention:
    def test_weighs_each_channel_by_one_number(self):
        attention = ChannelAttention(4, 2)
        x = random(3, 4, 1, 9)

        ratio = attention(x) / x

        torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio))
        assert 0.0 < ratio.min() < ratio.max() < 1.0


class TestAttentiveStatistics:
    def test_even_attention_gives_mean_and_deviation(self):
        pool, x = AttentiveStatistics(4, 3), random(2, 4, 30)
        torch.nn.init.zeros_(pool.score[2].weight)

        found = pool(x)

        expected = torch.cat([x.mean(dim=2), x.std(dim=2, correction=0)], dim=1)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

    def test_agrees_with_slow_sums(self):
        pool, x = AttentiveStatistics(2, 3), random(1, 2, 5)

        with torch.no_grad():
            found, score = pool(x), pool.score(x)[0]

        for channel in range(2):
            weights = [float(score[channel, t].exp()) for t in range(5)]
            shares = [weight / sum(weights) for weight in weights]
            mean = sum(s * float(v) for s, v in zip(shares, x[0, channel], strict=True))
            variance = sum(s * (float(v) - mean) ** 2 for s, v in zip(shares, x[0, channel], strict=True))
            assert float(found[0, channel]) == pytest.approx(mean, abs=1e-5)
            assert float(found[0, 2 + channel]) == pytest.approx(variance**0.5, rel=1e-3)

    def test_a_constant_has_no_deviation_yet_a_finite_gradient(self):
        pool, x = AttentiveStatistics(2, 3), torch.full((1, 2, 5), 3.0, requires_grad=True)

        found = pool(x)
        found.sum().backward()

        assert found[0, 2] < 0.01
        assert x.grad.isfinite().all()
