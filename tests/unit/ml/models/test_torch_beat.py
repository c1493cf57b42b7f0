import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.models.beat_lda import turn_upright  # noqa: E402
from ml.models.beat_views import apply_views  # noqa: E402
from ml.models.torch_beat import TorchBeatLda, torch_views, unit  # noqa: E402
from tests.bundles import VIEWS, beat_shapes, fitted_lda  # noqa: E402


def tensor(values):
    return torch.from_numpy(values.astype(np.float32))


class TestTorchViews:
    def test_gives_what_numpy_gives(self):
        shapes, _ = beat_shapes()

        found = torch_views(tensor(shapes), VIEWS).numpy()

        np.testing.assert_allclose(found, apply_views(shapes, VIEWS), atol=2e-5)

    def test_views_of_an_inverted_beat_are_inverted_to_the_bit(self):
        shapes = tensor(beat_shapes()[0])

        assert torch.equal(torch_views(-shapes, VIEWS), -torch_views(shapes, VIEWS))


class TestTorchBeatLda:
    def test_gives_the_vectors_of_the_fit(self):
        fitted = fitted_lda()
        shapes, _ = beat_shapes()

        found = TorchBeatLda(fitted)(tensor(turn_upright(shapes, fitted.polarity))).numpy()

        np.testing.assert_allclose(found, fitted.vectors(shapes), atol=1e-5)

    def test_a_flat_beat_gives_finite_numbers(self):
        fitted = fitted_lda()

        assert torch.isfinite(TorchBeatLda(fitted)(torch.zeros(1, fitted.polarity.size))).all()


class TestUnit:
    def test_rows_get_unit_norm_and_zeros_stay_zeros(self):
        rows = unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))

        torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
