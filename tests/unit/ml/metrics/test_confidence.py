"""Every figure is derived again with loops over single predictions."""

import math

import numpy as np
import pytest

from ml.metrics.confidence import (
    expected_calibration_error,
    fit_temperature,
    log_probabilities,
    negative_log_likelihood,
    smoothed_loss,
)

Logits = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def predictions() -> Logits:
    rng = np.random.default_rng(17)
    labels = rng.integers(0, 6, 400)
    logits = rng.normal(size=(400, 6)) * 2.0
    logits[np.arange(400), labels] += 2.0
    return logits, labels


def slow_softmax(row: np.ndarray, temperature: float) -> list[float]:
    powers = [math.exp(x / temperature) for x in row]
    return [power / sum(powers) for power in powers]


def slow_ece(
    logits: np.ndarray, labels: np.ndarray, temperature: float, bins: int, equal_mass: bool
) -> float:
    pairs = []
    for row, label in zip(logits, labels, strict=True):
        p = slow_softmax(row, temperature)
        pairs.append((max(p), float(p.index(max(p)) == label)))
    if equal_mass:
        pairs.sort()
        size, extra = divmod(len(pairs), bins)
        groups, start = [], 0
        for k in range(bins):
            end = start + size + (k < extra)
            groups.append(pairs[start:end])
            start = end
    else:
        groups = [[p for p in pairs if k / bins < p[0] <= (k + 1) / bins] for k in range(bins)]
    total = 0.0
    for group in groups:
        if group:
            gap = sum(c for c, _ in group) / len(group) - sum(r for _, r in group) / len(group)
            total += len(group) / len(pairs) * abs(gap)
    return total


def slow_smoothed_loss(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    unseen, total = 1 / (len(labels) + 2), 0.0
    for row, label in zip(logits, labels, strict=True):
        p = slow_softmax(row, temperature)
        wrong = math.fsum(p[k] for k in range(len(p)) if k != label)
        total -= (1 - unseen) * math.log(p[label]) + unseen * math.log(wrong)
    return total / len(labels)


class TestLogProbabilities:
    def test_rows_sum_to_one_even_for_huge_logits(self) -> None:
        found = log_probabilities(np.array([[1e4, 0.0, -1e4], [3.0, 3.0, 3.0]]))

        assert np.exp(found).sum(axis=1) == pytest.approx([1.0, 1.0])
        assert np.exp(found[1]) == pytest.approx([1 / 3] * 3)


class TestNegativeLogLikelihood:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    def test_equals_the_mean_over_single_predictions(self, predictions: Logits, temperature: float) -> None:
        logits, labels = predictions

        slow = [-math.log(slow_softmax(row, temperature)[y]) for row, y in zip(logits, labels, strict=True)]

        assert negative_log_likelihood(logits, labels, temperature) == pytest.approx(np.mean(slow))

    def test_no_idea_pays_the_logarithm_of_the_classes(self) -> None:
        assert negative_log_likelihood(np.zeros((3, 90)), np.array([0, 5, 89])) == pytest.approx(math.log(90))


class TestExpectedCalibrationError:
    @pytest.mark.parametrize("equal_mass", [True, False])
    @pytest.mark.parametrize("temperature", [0.7, 1.0, 4.0])
    def test_equals_loops_over_bins(self, predictions: Logits, temperature: float, equal_mass: bool) -> None:
        logits, labels = predictions

        found = expected_calibration_error(logits, labels, temperature, equal_mass=equal_mass)

        assert found == pytest.approx(slow_ece(logits, labels, temperature, 15, equal_mass))

    @pytest.mark.parametrize("equal_mass", [True, False])
    def test_certain_and_right_is_perfect_and_certain_and_wrong_is_one(self, equal_mass: bool) -> None:
        certain = np.eye(4) * 1e3

        right = expected_calibration_error(certain, np.arange(4), equal_mass=equal_mass)
        wrong = expected_calibration_error(certain, np.arange(4)[::-1], equal_mass=equal_mass)

        assert right == pytest.approx(0.0)
        assert wrong == pytest.approx(1.0)

    def test_fewer_predictions_than_bins_are_no_error(self) -> None:
        assert expected_calibration_error(np.zeros((2, 2)), np.array([0, 1]), equal_mass=True) == 0.5


class TestSmoothedLoss:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    def test_equals_the_mean_over_single_predictions(self, predictions: Logits, temperature: float) -> None:
        slow = slow_smoothed_loss(*predictions, temperature)

        assert smoothed_loss(*predictions, temperature) == pytest.approx(slow)

    def test_certainty_is_dear_even_where_it_is_right(self) -> None:
        certain, labels = np.eye(4) * 1e3, np.arange(4)

        assert smoothed_loss(certain, labels) == pytest.approx((1e3 - math.log(3)) / 6)

    def test_with_many_predictions_it_is_the_log_loss(self, predictions: Logits) -> None:
        logits, labels = (np.repeat(part, 500, axis=0) for part in predictions)

        assert smoothed_loss(logits, labels) == pytest.approx(
            negative_log_likelihood(logits, labels), abs=1e-4
        )


class TestFitTemperature:
    def test_no_temperature_on_a_fine_grid_is_better(self, predictions: Logits) -> None:
        logits, labels = predictions

        fitted = fit_temperature(logits, labels)

        grid = np.geomspace(0.2, 20.0, 100)
        least = min(slow_smoothed_loss(logits, labels, t) for t in grid)
        assert slow_smoothed_loss(logits, labels, fitted) <= least + 1e-9

    @pytest.mark.parametrize("n", [20, 89, 500])
    def test_no_error_in_n_predictions_says_one_in_n_plus_2(self, n: int) -> None:
        labels = np.arange(n) % 10

        temperature = fit_temperature(np.eye(10)[labels] * 30.0, labels)

        confidence = slow_softmax(list(np.eye(10)[0] * 30.0), temperature)[0]
        assert confidence == pytest.approx(1 - 1 / (n + 2), rel=1e-5)

    def test_logits_drawn_from_their_own_softmax_need_none(self) -> None:
        rng = np.random.default_rng(3)
        logits = rng.normal(size=(20_000, 5)) * 1.5
        chances = np.exp(log_probabilities(logits))
        labels = np.array([rng.choice(5, p=row) for row in chances])

        assert fit_temperature(logits, labels) == pytest.approx(1.0, abs=0.03)
        assert fit_temperature(logits * 8.0, labels) == pytest.approx(8.0, rel=0.03)

    def test_it_changes_no_decision(self, predictions: Logits) -> None:
        logits, labels = predictions

        scaled = log_probabilities(logits, fit_temperature(logits, labels))

        assert np.array_equal(scaled.argmax(axis=1), logits.argmax(axis=1))

    def test_nothing_to_fit_to_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="predictions"):
            fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))
