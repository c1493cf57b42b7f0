import numpy as np
import pytest

from ml.metrics.calibration_floor import ece_if_true


def predictions(n: int) -> np.ndarray:
    first = np.random.default_rng(7).uniform(0.5, 1.0, n)
    return np.stack([first, 1.0 - first], axis=1)


class TestEceIfTrue:
    def test_of_one_prediction_it_is_the_mean_gap(self):
        # Right 8 times in 10, with a gap of 0.2; else 0.8.
        assert ece_if_true(np.array([[0.8, 0.2]]), draws=4000) == pytest.approx(0.32, abs=0.02)

    def test_falls_as_the_square_root_of_predictions(self):
        few, many = ece_if_true(predictions(200)), ece_if_true(predictions(20_000), draws=20)

        assert few / many == pytest.approx(10.0, rel=0.25)

    def test_certainty_errs_never(self):
        assert ece_if_true(np.eye(4)) == 0.0

    def test_the_same_predictions_give_the_same_figure(self):
        assert ece_if_true(predictions(50)) == ece_if_true(predictions(50))
