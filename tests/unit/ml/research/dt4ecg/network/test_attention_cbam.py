import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.attention_cbam import CbamOptions, ConvolutionalBlockAttention  # noqa: E402

WIDTH, N_STEPS = 6, 9


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def attention(**options):
    torch.manual_seed(0)
    return ConvolutionalBlockAttention(WIDTH, CbamOptions(**({"reduction": 2, "kernel": 3} | options)))


def numbers(parameter):
    return parameter.detach().numpy().astype(np.float64)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def by_hand(module, x):
    """Equations 1 to 3 of one window of shape (C, T), in float64."""
    layers = module.channel_scores
    w1, b1, w2, b2 = (
        numbers(p) for p in (layers[0].weight, layers[0].bias, layers[2].weight, layers[2].bias)
    )

    def mlp(pooled):
        return w2 @ np.maximum(w1 @ pooled + b1, 0.0) + b2

    x = x * sigmoid(mlp(x.mean(axis=1)) + mlp(x.max(axis=1)))[:, None]
    pooled = np.pad(np.stack([x.mean(axis=0), x.max(axis=0)]), ((0, 0), (1, 1)))
    weight, bias = numbers(module.step_scores.weight)[0], numbers(module.step_scores.bias)[0]
    scores = [bias + (weight * pooled[:, t : t + 3]).sum() for t in range(x.shape[1])]
    return x * sigmoid(np.array(scores))[None, :]


class TestConvolutionalBlockAttention:
    def test_follows_equations_1_to_3(self):
        module, x = attention(), 3.0 * random(4, WIDTH, N_STEPS)

        found = module(x)

        for one, given in zip(found, x, strict=True):
            np.testing.assert_allclose(numbers(one), by_hand(module, numbers(given)), rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("n_steps", [1, N_STEPS, 300])
    def test_takes_any_length(self, n_steps):
        assert attention(kernel=7)(random(2, WIDTH, n_steps)).shape == (2, WIDTH, n_steps)

    def test_every_weight_has_a_gradient(self):
        module = attention()

        module(random(8, WIDTH, N_STEPS)).pow(3).sum().backward()

        assert all(p.grad.abs().sum() > 0 for p in module.parameters())

    def test_the_default_is_the_published_size(self):
        module = ConvolutionalBlockAttention(128, CbamOptions())

        assert sum(p.numel() for p in module.parameters()) == (2 * 128 * 8 + 128 + 8) + (2 * 7 + 1)

    def test_an_even_kernel_is_refused(self):
        with pytest.raises(ValueError, match="odd"):
            CbamOptions(kernel=6)
