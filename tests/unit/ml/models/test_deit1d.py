import pytest

torch = pytest.importorskip("torch")

from ml.models.deit1d import Deit1d, Deit1dConfig  # noqa: E402

SMALL = Deit1dConfig(width=24, blocks=6, heads=3, embedding_size=10)


@pytest.fixture
def windows():
    return torch.randn(5, 368, generator=torch.Generator().manual_seed(1))


def network(config: Deit1dConfig = SMALL) -> Deit1d:
    torch.manual_seed(0)
    return Deit1d(config)


def parameters(config: Deit1dConfig) -> int:
    return sum(parameter.numel() for parameter in network(config).parameters())


class TestConfig:
    @pytest.mark.parametrize("patch_samples", [0, 1, 12, 32])
    def test_a_patch_that_does_not_tile_a_window_is_refused(self, patch_samples):
        with pytest.raises(ValueError, match="patch_samples"):
            Deit1dConfig(patch_samples=patch_samples)

    def test_heads_that_do_not_divide_the_width_are_refused(self):
        with pytest.raises(ValueError, match="multiple of 5 heads"):
            Deit1dConfig(heads=5)

    def test_fewer_blocks_than_stages_are_refused(self):
        with pytest.raises(ValueError, match="blocks"):
            Deit1dConfig(blocks=2)


class TestSize:
    @pytest.mark.parametrize(
        ("config", "millions"),
        [
            (Deit1dConfig(width=192, blocks=12, heads=3), 5.6),
            (Deit1dConfig(width=96, blocks=6, heads=3, mlp_ratio=3.0), 0.65),
            (Deit1dConfig(width=64, blocks=6, heads=2, mlp_ratio=3.0), 0.29),
        ],
    )
    def test_presets_have_the_weights_that_are_quoted(self, config, millions):
        assert parameters(config) == pytest.approx(millions * 1e6, rel=0.02)


class TestFeatures:
    @pytest.mark.parametrize(("patch_samples", "tokens"), [(8, 46), (16, 23)])
    def test_stages_are_token_maps_after_each_third(self, windows, patch_samples, tokens):
        config = Deit1dConfig(patch_samples=patch_samples, width=24, blocks=6, heads=3, embedding_size=10)

        features = network(config)(windows)

        assert [tuple(stage.shape) for stage in features.stages] == [(5, 24, tokens)] * 3
        assert features.embedding.shape == (5, 10)

    def test_attentions_are_one_distribution_per_token(self, windows):
        net = network()
        net.with_attentions = True

        attentions = net(windows).attentions

        assert [tuple(a.shape) for a in attentions] == [(5, 3, 25, 25)] * 6
        torch.testing.assert_close(attentions[3].sum(dim=-1), torch.ones(5, 3, 25))

    def test_fused_and_explicit_attention_agree(self, windows):
        net = network().eval()
        fused = net(windows)
        net.with_attentions = True

        explicit = net(windows)

        torch.testing.assert_close(explicit.embedding, fused.embedding)
        torch.testing.assert_close(explicit.stages, fused.stages)
        assert fused.attentions == ()

    @pytest.mark.parametrize("training", [True, False])
    def test_the_embedding_is_the_class_tokens_and_once_trained_the_mean_of_both(self, windows, training):
        net = network().train(training)
        class_tokens = []
        net.class_head.register_forward_hook(lambda _module, _inputs, output: class_tokens.append(output))

        features = net(windows)

        mean = (class_tokens[0] + features.distillation) / 2
        torch.testing.assert_close(features.embedding, class_tokens[0] if training else mean)

    def test_without_a_distillation_token_there_is_none(self, windows):
        net = network(Deit1dConfig(width=24, blocks=6, heads=3, distillation_token=False))

        features = net(windows)

        assert features.distillation is None
        assert features.stages[0].shape[2] == 23

    def test_windows_do_not_look_at_each_other(self, windows):
        net = network().eval()

        alone = net(windows[2:3]).embedding

        torch.testing.assert_close(alone, net(windows).embedding[2:3], atol=1e-5, rtol=1e-4)


class TestTraining:
    def test_every_weight_gets_a_gradient(self, windows):
        net = network().train()
        features = net(windows)

        (features.embedding.square().sum() + features.distillation.square().sum()).backward()

        assert [name for name, p in net.named_parameters() if p.grad is None] == []

    def test_stochastic_depth_keeps_the_expectation(self):
        block = network(Deit1dConfig(width=24, blocks=6, heads=3, stochastic_depth=0.5)).blocks[-1].train()
        torch.manual_seed(3)

        kept = block._thinned(torch.ones(20_000, 1, 1))

        assert kept.mean().item() == pytest.approx(1.0, abs=0.03)
        assert set(kept.unique().tolist()) == {0.0, 2.0}

    def test_an_evaluated_network_gives_the_same_twice(self, windows):
        net = network().eval()

        torch.testing.assert_close(net(windows).embedding, net(windows).embedding, atol=0, rtol=0)
