import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.attention_mha import (  # noqa: E402
    MhaOptions,
    MultiHeadSelfAttention,
    StepAttention,
    sinusoids,
)

WIDTH, N_STEPS, HEADS = 8, 5, 2


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def attention(**options):
    torch.manual_seed(0)
    return StepAttention(WIDTH, MhaOptions(**({"heads": HEADS} | options)))


def numbers(parameter):
    return parameter.detach().numpy().astype(np.float64)


def linear(module, token):
    bias = 0.0 if module.bias is None else numbers(module.bias)
    return numbers(module.weight) @ token + bias


def by_hand(module, tokens):
    """Vaswani et al., section 3.2, of one sequence of shape (T, C), head by head and token by token."""
    size = WIDTH // HEADS
    mixed = np.zeros_like(tokens)
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        query, key, value = (
            [linear(layer, token)[part] for token in tokens]
            for layer in (module.query, module.key, module.value)
        )
        for t in range(len(tokens)):
            scores = np.array([query[t] @ k / np.sqrt(size) for k in key])
            shares = np.exp(scores) / np.exp(scores).sum()
            mixed[t, part] = sum(share * v for share, v in zip(shares, value, strict=True))
    return np.array([linear(module.out, token) for token in mixed])


class TestMultiHeadSelfAttention:
    def test_follows_section_3_2(self):
        torch.manual_seed(0)
        module, tokens = MultiHeadSelfAttention(WIDTH, HEADS), 3.0 * random(4, N_STEPS, WIDTH)

        found = module(tokens)

        for one, given in zip(found, tokens, strict=True):
            np.testing.assert_allclose(numbers(one), by_hand(module, numbers(given)), rtol=1e-3, atol=1e-5)

    @pytest.mark.parametrize("heads", [0, 3, 16])
    def test_heads_that_do_not_divide_the_channels_are_refused(self, heads):
        with pytest.raises(ValueError, match=f"divisor of 8 channels, got {heads}"):
            MultiHeadSelfAttention(WIDTH, heads)

    def test_has_four_square_matrices_and_three_biases(self):
        module = MultiHeadSelfAttention(WIDTH, HEADS)

        assert sum(p.numel() for p in module.parameters()) == 4 * WIDTH * WIDTH + 3 * WIDTH


class TestStepAttention:
    def test_adds_the_map_and_normalizes_over_channels(self):
        module, x = attention(), random(2, WIDTH, N_STEPS)
        tokens = numbers(x[0]).T

        found = numbers(module(x)[0]).T

        for token, one in zip(tokens + by_hand(module.attention, tokens), found, strict=True):
            expected = (token - token.mean()) / np.sqrt(token.var() + 1e-5)
            np.testing.assert_allclose(one, expected, rtol=1e-3, atol=1e-4)

    def test_without_positions_the_order_of_steps_does_not_matter(self):
        module, x = attention(), random(1, WIDTH, N_STEPS)
        order = torch.tensor([3, 1, 4, 0, 2])

        torch.testing.assert_close(module(x[:, :, order]), module(x)[:, :, order])

    def test_with_positions_the_order_of_steps_matters(self):
        module, x = attention(positions="sinusoidal"), random(1, WIDTH, N_STEPS)
        order = torch.tensor([3, 1, 4, 0, 2])

        assert (module(x[:, :, order]) - module(x)[:, :, order]).abs().max() > 0.1

    @pytest.mark.parametrize("positions", ["none", "sinusoidal"])
    @pytest.mark.parametrize("n_steps", [1, N_STEPS, 300])
    def test_takes_any_length(self, positions, n_steps):
        x = random(2, WIDTH, n_steps)

        assert attention(positions=positions)(x).shape == x.shape

    def test_every_weight_has_a_gradient(self):
        module = attention()

        module(random(4, WIDTH, N_STEPS)).pow(3).sum().backward()

        assert all(p.grad.abs().sum() > 0 for p in module.parameters())

    def test_unknown_positions_are_refused_by_name(self):
        with pytest.raises(ValueError, match=r"none.*sinusoidal.*'learned'"):
            MhaOptions(positions="learned")


class TestSinusoids:
    def test_follow_section_3_5(self):
        found = sinusoids(7, 6, torch.zeros(1))

        for t in range(7):
            for i in range(3):
                angle = t / 10000 ** (2 * i / 6)
                assert float(found[t, 2 * i]) == pytest.approx(np.sin(angle), abs=1e-6)
                assert float(found[t, 2 * i + 1]) == pytest.approx(np.cos(angle), abs=1e-6)
