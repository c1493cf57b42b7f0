import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.attention_sca import (  # noqa: E402
    CHANNEL_CONVOLUTIONS,
    LengthFreeScaOptions,
    LengthFreeSequenceChannelAttention,
    ScaOptions,
    SequenceChannelAttention,
)

WIDTH, N_STEPS = 6, 9


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def faithful(**options):
    torch.manual_seed(0)
    return SequenceChannelAttention(WIDTH, N_STEPS, ScaOptions(**({"reduction": 2} | options)))


def length_free(**options):
    torch.manual_seed(0)
    return LengthFreeSequenceChannelAttention(WIDTH, LengthFreeScaOptions(**options))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def numbers(parameter):
    return parameter.detach().numpy().astype(np.float64)


def channel_scores(module, pooled):
    """Equation 1 of one window, by loops; pooled has shape (C,)."""
    if module.__class__.__name__ == "Sequential":
        return channel_scores(module[2], np.maximum(channel_scores(module[0], pooled), 0.0))
    if hasattr(module, "convolution"):
        weight, bias = numbers(module.convolution.weight)[0, 0], numbers(module.convolution.bias)[0]
        reach = len(weight) // 2
        padded = np.pad(pooled, reach)
        return np.array([bias + weight @ padded[c : c + len(weight)] for c in range(len(pooled))])
    return numbers(module.weight) @ pooled + numbers(module.bias)


def by_hand(attention, x):
    """Equations 1 to 7 of one window of shape (C, T), in float64."""
    n_channels, n_steps = x.shape
    alpha = sigmoid(channel_scores(attention.channel_scores, x.mean(axis=1)))  # (1), (2)
    weighed = np.array([[x[c, t] * alpha[c] for t in range(n_steps)] for c in range(n_channels)])  # (3)
    means = [sum(weighed[c, t] for c in range(n_channels)) / n_channels for t in range(n_steps)]
    weight, bias = numbers(attention.step_scores.weight), numbers(attention.step_scores.bias)
    scores = [bias[t] + sum(weight[t, u] * means[u] for u in range(n_steps)) for t in range(n_steps)]  # (4)
    beta = sigmoid(np.array(scores))  # (5)
    return np.array(
        [[x[c, t] * alpha[c] * beta[t] for t in range(n_steps)] for c in range(n_channels)]
    )  # (7)


class TestSequenceChannelAttention:
    @pytest.mark.parametrize("convolutions", CHANNEL_CONVOLUTIONS)
    def test_follows_equations_1_to_7(self, convolutions):
        attention, x = faithful(channel_convolutions=convolutions), 3.0 * random(4, WIDTH, N_STEPS)

        found = attention(x)

        for one, expected in zip(found, x, strict=True):
            np.testing.assert_allclose(
                numbers(one), by_hand(attention, expected.numpy().astype(np.float64)), rtol=1e-4, atol=1e-6
            )

    def test_the_mean_of_equation_4_is_over_weighed_channels(self):
        attention = faithful(channel_convolutions="single")
        with torch.no_grad():
            attention.channel_scores.weight.zero_()
            attention.channel_scores.bias.copy_(torch.tensor([-50.0] * (WIDTH - 1) + [50.0]))
        x = random(1, WIDTH, N_STEPS)

        beta = attention(x)[0, -1] / x[0, -1]

        expected = torch.sigmoid(attention.step_scores(x[0, -1] / WIDTH))
        torch.testing.assert_close(beta, expected)

    def test_every_moment_may_depend_on_every_other(self):
        attention, x = faithful(), random(1, WIDTH, N_STEPS)
        later = x.clone()
        later[0, :, -1] += 5.0

        changed = (attention(later) - attention(x))[0].abs().amax(dim=0)

        assert (changed > 0).all()

    def test_weights_lie_between_none_and_all(self):
        attention, x = faithful(), 3.0 * random(4, WIDTH, N_STEPS)

        share = attention(x) / x

        assert 0.0 < share.min() < share.max() < 1.0

    def test_weights_are_a_product_of_one_per_channel_and_one_per_moment(self):
        attention, x = faithful(), random(1, WIDTH, N_STEPS)

        share = (attention(x) / x)[0]

        outer = share[:, :1] * share[:1, :] / share[:1, :1]
        torch.testing.assert_close(share, outer)

    @pytest.mark.parametrize("n_steps", [N_STEPS - 1, N_STEPS + 1, 1])
    def test_another_length_is_refused(self, n_steps):
        with pytest.raises(ValueError, match=f"made for {N_STEPS} steps, got {n_steps}"):
            faithful()(random(2, WIDTH, n_steps))

    @pytest.mark.parametrize(
        ("convolutions", "expected"),
        [
            ("bottleneck", (WIDTH * 3 + 3) + (3 * WIDTH + WIDTH)),
            ("single", WIDTH * WIDTH + WIDTH),
            ("across_channels", 3 + 1),
        ],
    )
    def test_the_sequence_part_has_a_weight_per_pair_of_moments(self, convolutions, expected):
        attention = faithful(channel_convolutions=convolutions)

        assert sum(p.numel() for p in attention.parameters()) == expected + N_STEPS * N_STEPS + N_STEPS

    @pytest.mark.parametrize("convolutions", CHANNEL_CONVOLUTIONS)
    def test_every_weight_has_a_gradient(self, convolutions):
        attention = faithful(channel_convolutions=convolutions)

        attention(random(8, WIDTH, N_STEPS)).pow(3).sum().backward()

        assert all(p.grad.abs().sum() > 0 for p in attention.parameters())

    def test_a_bottleneck_keeps_at_least_one_channel(self):
        attention = faithful(reduction=100)

        assert attention.channel_scores[0].out_features == 1

    def test_unknown_convolutions_are_refused_by_name(self):
        with pytest.raises(ValueError, match=r"bottleneck.*single.*across_channels.*'deep'"):
            ScaOptions(channel_convolutions="deep")

    def test_an_even_kernel_is_refused(self):
        with pytest.raises(ValueError, match="odd"):
            faithful(channel_convolutions="across_channels", channel_kernel=4)


class TestLengthFree:
    @pytest.mark.parametrize("n_steps", [1, 5, N_STEPS, 300, 1000])
    def test_takes_any_length(self, n_steps):
        x = random(2, WIDTH, n_steps)

        weighed = length_free()(x)

        assert weighed.shape == x.shape
        assert weighed.isfinite().all()

    def test_is_sca_with_a_banded_toeplitz_matrix(self):
        free, fixed = length_free(step_kernel=5), faithful(reduction=16)
        fixed.channel_scores.load_state_dict(free.channel_scores.state_dict())
        with torch.no_grad():
            fixed.step_scores.weight.zero_()
            for t in range(N_STEPS):
                for u in range(max(0, t - 2), min(N_STEPS, t + 3)):
                    fixed.step_scores.weight[t, u] = free.step_scores.weight[0, 0, u - t + 2]
            fixed.step_scores.bias.fill_(float(free.step_scores.bias))
        x = random(3, WIDTH, N_STEPS)

        torch.testing.assert_close(free(x), fixed(x))

    def test_every_weight_has_a_gradient(self):
        attention = length_free(step_kernel=5)

        attention(random(8, WIDTH, N_STEPS)).pow(3).sum().backward()

        assert all(p.grad.abs().sum() > 0 for p in attention.parameters())

    def test_an_even_kernel_is_refused(self):
        with pytest.raises(ValueError, match="odd"):
            length_free(step_kernel=4)
