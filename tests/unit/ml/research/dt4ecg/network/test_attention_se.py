import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.attention_se import (  # noqa: E402
    SeOptions,
    SqueezeExcitation,
    make_squeeze_excitation,
)

WIDTH, HIDDEN = 6, 2


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def attention(activation=torch.nn.ReLU):
    torch.manual_seed(0)
    return SqueezeExcitation(WIDTH, HIDDEN, activation)


def numbers(parameter):
    return parameter.detach().numpy().astype(np.float64)


class TestSqueezeExcitation:
    def test_follows_equations_2_to_4(self):
        module, x = attention(), 3.0 * random(1, WIDTH, 9)
        w1, b1 = numbers(module.gate[0].weight), numbers(module.gate[0].bias)
        w2, b2 = numbers(module.gate[2].weight), numbers(module.gate[2].bias)
        one = numbers(x)[0]

        squeezed = np.array([sum(channel) / len(channel) for channel in one])
        scores = w2 @ np.maximum(w1 @ squeezed + b1, 0.0) + b2

        expected = one * (1.0 / (1.0 + np.exp(-scores)))[:, None]
        np.testing.assert_allclose(numbers(module(x))[0], expected, rtol=1e-4)

    def test_maps_with_a_row_are_weighed_alike(self):
        module, x = attention(), random(3, WIDTH, 9)

        torch.testing.assert_close(module(x[:, :, None])[:, :, 0], module(x))

    @pytest.mark.parametrize("n_steps", [1, 9, 300])
    def test_takes_any_length(self, n_steps):
        assert attention()(random(2, WIDTH, n_steps)).shape == (2, WIDTH, n_steps)

    def test_every_weight_has_a_gradient(self):
        module = attention(torch.nn.SiLU)

        module(random(8, WIDTH, 9)).pow(3).sum().backward()

        assert all(p.grad.abs().sum() > 0 for p in module.parameters())


class TestMake:
    @pytest.mark.parametrize(("width", "hidden"), [(128, 8), (64, 4), (6, 1)])
    def test_a_hidden_unit_speaks_for_sixteen_channels(self, width, hidden):
        module = make_squeeze_excitation(width, SeOptions())

        assert sum(p.numel() for p in module.parameters()) == 2 * width * hidden + width + hidden
