import numpy as np
import pytest

from ml.data.motion import ACTIVITIES
from ml.evaluation.activity.figures import (
    call_figures,
    confusion_matrix,
    group_probabilities,
    probability_figures,
    weighted_scores,
)

CLASSES = ("a", "b", "c")
TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
CALLED = np.array([0, 0, 1, 0, 1, 1, 0, 1, 0, 1])


def random_calls(n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, truth and people; some people are called better than others."""
    rng = np.random.default_rng(3)
    truth, people = rng.integers(0, 3, n), rng.integers(0, 6, n)
    p = np.exp(rng.standard_normal((n, 3)) + 1.5 * np.eye(3)[truth] * (people[:, None] % 3))
    return p / p.sum(axis=1, keepdims=True), truth, people


class TestConfusionMatrix:
    def test_rows_are_the_truth_and_columns_the_calls(self) -> None:
        found = confusion_matrix(CALLED, TRUTH, 3)

        assert found.tolist() == [[3, 1, 0], [1, 2, 0], [1, 2, 0]]


class TestWeightedScores:
    def test_equals_the_definitions_written_out(self) -> None:
        found = weighted_scores(confusion_matrix(CALLED, TRUTH, 3))

        # Class 2 is never called: its precision, recall and F1 are 0 and count with their weight.
        assert found.precision == pytest.approx((4 * 3 / 5 + 3 * 2 / 5) / 10)
        assert found.recall == pytest.approx((4 * 3 / 4 + 3 * 2 / 3) / 10)
        assert found.f1 == pytest.approx((4 * 6 / 9 + 3 * 4 / 8) / 10)

    def test_weighted_recall_is_accuracy(self) -> None:
        found = weighted_scores(confusion_matrix(CALLED, TRUTH, 3))

        assert found.recall == pytest.approx(np.mean(TRUTH == CALLED))

    def test_a_class_that_never_occurs_has_no_weight(self) -> None:
        two = weighted_scores(np.array([[5, 1], [2, 4]]))
        three = weighted_scores(np.array([[5, 1, 0], [2, 4, 0], [0, 0, 0]]))

        assert two == three


class TestCallFigures:
    def test_figures_are_those_of_the_confusion(self) -> None:
        p, truth, people = random_calls()
        called = p.argmax(axis=1)

        found = call_figures(called, truth, people, CLASSES)

        confusion = confusion_matrix(called, truth, 3)
        assert found.confusion == tuple(map(tuple, confusion.tolist()))
        assert (found.precision, found.recall, found.f1) == weighted_scores(confusion)
        assert found.accuracy == pytest.approx(found.recall)
        assert (found.n_calls, found.n_people) == (300, 6)

    def test_intervals_redraw_people_not_windows(self) -> None:
        # Of six people three are always right and three always wrong: 300 calls are but six draws.
        people = np.repeat(np.arange(6), 50)

        found = call_figures(people % 2, np.zeros(300, dtype=np.int64), people, CLASSES)

        assert found.accuracy == 0.5
        assert found.accuracy_interval is not None
        assert found.accuracy_interval.low <= 1 / 6
        assert found.accuracy_interval.high >= 5 / 6

    def test_intervals_hold_the_figures(self) -> None:
        p, truth, people = random_calls()

        found = call_figures(p.argmax(axis=1), truth, people, CLASSES)

        for value, interval in ((found.accuracy, found.accuracy_interval), (found.f1, found.f1_interval)):
            assert interval is not None
            assert interval.low < value < interval.high

    def test_only_who_is_who_matters_not_their_numbers(self) -> None:
        p, truth, people = random_calls()
        called = p.argmax(axis=1)

        assert call_figures(called, truth, people, CLASSES) == call_figures(
            called, truth, people * 7 + 3, CLASSES
        )

    def test_two_people_give_no_interval(self) -> None:
        p, truth, people = random_calls()

        found = call_figures(p.argmax(axis=1), truth, people % 2, CLASSES)

        assert (found.accuracy_interval, found.f1_interval) == (None, None)
        assert found.to_dict()["accuracy_interval"] is None

    def test_all_right_is_not_certainty(self) -> None:
        truth = np.arange(30) % 3

        found = call_figures(truth, truth, np.arange(30) % 10, CLASSES)

        assert found.accuracy == 1.0
        assert found.accuracy_interval is not None
        assert found.accuracy_interval.low < 0.8

    def test_what_does_not_belong_together_is_refused(self) -> None:
        with pytest.raises(ValueError, match="as many calls"):
            call_figures(CALLED, TRUTH[:5], TRUTH, CLASSES)
        with pytest.raises(ValueError, match="as many calls"):
            call_figures(CALLED[:0], TRUTH[:0], TRUTH[:0], CLASSES)
        with pytest.raises(ValueError, match=r"classes 0 … 1"):
            call_figures(CALLED, TRUTH, TRUTH, ("a", "b"))


class TestProbabilityFigures:
    def test_calls_as_sure_as_they_are_right_cost_nothing(self) -> None:
        p = np.tile([0.8, 0.1, 0.1], (10, 1))

        found = probability_figures(p, np.array([0] * 8 + [1, 2]), np.arange(10))

        assert found.ece == pytest.approx(0.0, abs=1e-12)
        assert found.nll == pytest.approx(-(8 * np.log(0.8) + 2 * np.log(0.1)) / 10)

    def test_certain_and_always_wrong_is_one_and_finite(self) -> None:
        p = np.tile([1.0, 0.0], (4, 1))

        found = probability_figures(p, np.ones(4, dtype=np.int64), np.arange(4))

        assert found.ece == pytest.approx(1.0)
        assert 80.0 < found.nll < 100.0

    def test_interval_is_over_people(self) -> None:
        # Told 0.7 of everybody; half of the people are always right, the others four times in ten.
        people = np.repeat(np.arange(6), 10)
        truth = np.where((people % 2 == 0) | (np.arange(60) % 10 < 4), 0, 1)
        p = np.tile([0.7, 0.3], (60, 1))

        found = probability_figures(p, truth, people)

        assert found.ece == pytest.approx(0.0, abs=1e-12)
        assert found.ece_interval is not None
        assert found.ece_interval.high > 0.15

    def test_two_people_give_no_interval(self) -> None:
        p, truth, people = random_calls()

        assert probability_figures(p, truth, people % 2).ece_interval is None

    @pytest.mark.parametrize("row", [[2.0, -1.0], [np.nan, 1.0], [0.5, 0.2]])
    def test_what_is_no_probability_is_refused(self, row: list[float]) -> None:
        with pytest.raises(ValueError, match="sum to 1"):
            probability_figures(np.array([row]), np.array([0]), np.array([0]))

    def test_shapes_must_belong_together(self) -> None:
        p, truth, people = random_calls()

        with pytest.raises(ValueError, match="rows, truths and people"):
            probability_figures(p[:5], truth, people)


class TestGroupProbabilities:
    def test_light_is_arms_and_walking(self) -> None:
        p = np.array([[0.1, 0.2, 0.3, 0.25, 0.15]])

        np.testing.assert_allclose(group_probabilities(p, ACTIVITIES), [[0.1, 0.5, 0.4]])
