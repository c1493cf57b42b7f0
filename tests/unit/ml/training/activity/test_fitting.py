from dataclasses import replace

import numpy as np
import pytest

from ml.metrics.confidence import negative_log_likelihood
from ml.runtime.ecg.activity.head import LinearHead, View, contaminated
from ml.training.activity.fitting import (
    OTHER_SENSOR_WEIGHT,
    Examples,
    fit_calibration,
    fit_chosen_head,
    fit_discriminants,
    fit_head,
    left_out_scores,
)

N_CLASSES = 3


def examples(people: int = 5, per_class: int = 20, seed: int = 0) -> Examples:
    """Classes on a triangle, people shifted from each other."""
    random = np.random.default_rng(seed)
    corners = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    rows, classes, whose = [], [], []
    for person in range(people):
        shift = random.normal(0.0, 0.7, 2)
        for k in range(N_CLASSES):
            rows.append(corners[k] + shift + random.standard_normal((per_class, 2)))
            classes += [k] * per_class
            whose += [person] * per_class
    n = len(classes)
    return Examples(np.concatenate(rows), np.array(classes), np.array(whose), np.ones(n, dtype=bool))


def logits_and_distances(
    head: LinearHead, some: Examples, x: np.ndarray, beside: np.ndarray | float = 0.0
) -> tuple[np.ndarray, list[float]]:
    """Of a point, and its distances from the classes by the covariance within them and what is added."""
    inputs, point = (head.standardization.apply(rows) for rows in (some.inputs, x[None]))
    means = np.stack([inputs[some.classes == k].mean(axis=0) for k in range(N_CLASSES)])
    within = np.cov((inputs - means[some.classes]).T, bias=True) + beside
    distances = [(point[0] - m) @ np.linalg.solve(within, point[0] - m) for m in means]
    return head.logits(x[None])[0], distances


class TestFitDiscriminants:
    def test_without_shrinkage_it_is_the_linear_discriminant(self):
        some = examples(people=1, per_class=400)
        [head] = fit_discriminants(some, N_CLASSES, [0.0])

        logits, distances = logits_and_distances(head, some, np.array([1.0, 1.2]))

        np.testing.assert_allclose(np.diff(logits), -0.5 * np.diff(distances), atol=1e-6)

    def test_how_often_a_class_occurs_moves_no_border(self):
        some = examples(people=1, per_class=200)
        rare = np.flatnonzero((some.classes != 1) | (np.arange(600) % 2 == 0))
        fewer = some.where(np.isin(np.arange(600), rare))
        both = fit_discriminants(some, 3, [0.1]) + fit_discriminants(fewer, 3, [0.1])

        a, b = (head.logits(np.array([[1.5, 0.0]]))[0] for head in both)

        assert abs((a[0] - a[1]) - (b[0] - b[1])) < 0.4

    def test_the_difference_of_sensors_counts_as_within_a_class(self):
        some = replace(examples(people=1, per_class=400), other_sensor=np.array([[1.0, 0.4], [1.2, 0.6]]))
        [head] = fit_discriminants(some, N_CLASSES, [0.0])

        here, there = (
            head.standardization.apply(x) for x in (some.inputs[some.classes == 0], some.other_sensor)
        )
        away = there.mean(axis=0) - here.mean(axis=0)
        logits, distances = logits_and_distances(
            head, some, np.array([1.0, 1.2]), OTHER_SENSOR_WEIGHT * np.outer(away, away)
        )

        np.testing.assert_allclose(np.diff(logits), -0.5 * np.diff(distances), atol=1e-6)

    def test_inputs_that_the_other_sensor_lacks_stay_as_they_are(self):
        one_feature = replace(examples(people=1), other_sensor=np.full((5, 1), 2.0))

        [head] = fit_discriminants(one_feature, N_CLASSES, [0.0])
        [without] = fit_discriminants(replace(one_feature, other_sensor=None), N_CLASSES, [0.0])

        between_first_two = head.weights[:, 1] - head.weights[:, 0]
        assert abs(between_first_two[0]) < abs((without.weights[:, 1] - without.weights[:, 0])[0])


class TestLeftOutScores:
    def test_a_persons_own_windows_change_nothing_of_their_scores(self):
        some = examples()
        before = left_out_scores(some, N_CLASSES, [0.1])[0, some.people == 2]
        inputs = some.inputs.copy()
        strange = (some.people == 2) & (np.arange(len(inputs)) % 2 == 0)
        inputs[strange] += 50.0
        changed = replace(some, inputs=inputs)

        after = left_out_scores(changed, N_CLASSES, [0.1])[0, some.people == 2]

        same = ~strange[some.people == 2]
        np.testing.assert_array_equal(before[same], after[same])

    def test_one_person_cannot_be_left_out(self):
        with pytest.raises(ValueError, match="two people"):
            left_out_scores(examples(people=1), N_CLASSES, [0.1])


class TestFitCalibration:
    @staticmethod
    def calibrated_scores(n: int, contamination: float, temperature: float) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and classes drawn as often as these should have been predicted."""
        random = np.random.default_rng(2)
        scores = random.normal(0.0, 3.0, (n, N_CLASSES))
        shares = np.exp(contaminated(scores, contamination, temperature)).cumsum(axis=1)
        return scores, (random.random((n, 1)) > shares).sum(axis=1)

    def test_what_made_the_classes_is_found(self):
        found = fit_calibration(*self.calibrated_scores(40_000, 0.1, 2.0))

        assert found == pytest.approx((2.0, 0.1), rel=0.08)

    def test_a_few_that_are_sure_and_wrong_leave_the_others_sure(self):
        scores, classes = self.calibrated_scores(4000, 0.0, 1.0)
        random = np.random.default_rng(3)
        classes[:200] = random.integers(0, N_CLASSES, 200)

        temperature, contamination = fit_calibration(scores, classes)

        assert temperature == pytest.approx(1.0, abs=0.15)
        assert 0.03 < contamination < 0.07

    def test_it_is_never_quite_sure(self):
        scores = 20.0 * np.eye(N_CLASSES)

        assert fit_calibration(scores, np.arange(N_CLASSES))[1] > 0.0

    def test_no_windows_are_refused(self):
        with pytest.raises(ValueError, match="predictions"):
            fit_calibration(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))


class TestFitHead:
    def test_windows_that_are_not_evaluated_do_not_lower_confidence(self):
        some = examples()
        odd = some.people == 4
        classes = np.where(odd, (some.classes + 1) % N_CLASSES, some.classes)

        on_all = fit_head(Examples(some.inputs, classes, some.people, some.evaluated), N_CLASSES, (0.1,))
        on_others = fit_head(Examples(some.inputs, classes, some.people, ~odd), N_CLASSES, (0.1,))

        assert on_others.choices.views[0].contamination < 0.5 * on_all.choices.views[0].contamination

    def test_probabilities_of_people_left_out_are_true(self):
        some = examples(people=12, seed=1)

        fitted = fit_head(some, N_CLASSES)

        odds = np.exp(fitted.left_out_logits)
        probabilities = odds / odds.sum(axis=1, keepdims=True)
        right = probabilities.argmax(axis=1) == some.classes
        assert probabilities.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.03)

    def test_of_several_shrinkages_one_is_chosen(self):
        fitted = fit_head(examples(), N_CLASSES, shrinkages=(0.1, 0.99))

        [chosen] = fitted.choices.views
        assert chosen.shrinkage in (0.1, 0.99)
        assert chosen.temperature > 0.0

    def test_without_views_it_is_the_discriminant_calibrated(self):
        some = examples()

        fitted = fit_head(some, N_CLASSES, (0.1,))

        [alone] = fit_discriminants(some, N_CLASSES, [0.1])
        scores = left_out_scores(some, N_CLASSES, [0.1])[0]
        temperature, contamination = fit_calibration(scores, some.classes)
        expected = contaminated(alone.scores(some.inputs), contamination, temperature)
        np.testing.assert_allclose(fitted.head.logits(some.inputs), expected)
        np.testing.assert_allclose(fitted.left_out_logits, contaminated(scores, contamination, temperature))


class TestViews:
    @staticmethod
    def two_looks(shares: tuple[float, float] = (0.5, 0.5)) -> Examples:
        """The same people looked at twice, each time blurred on its own; columns in turn."""
        some = examples(people=8)
        random = np.random.default_rng(6)
        looks = [some.inputs + 1.5 * random.standard_normal(some.inputs.shape) for _ in range(2)]
        columns = (np.array([0, 2]), np.array([1, 3]))
        inputs = np.empty((len(some.inputs), 4))
        for look, own in zip(looks, columns, strict=True):
            inputs[:, own] = look
        views = tuple(View(own, share) for own, share in zip(columns, shares, strict=True))
        return replace(some, inputs=inputs, views=views)

    def test_they_are_more_accurate_together_than_each_alone(self):
        both = self.two_looks()

        losses = [
            negative_log_likelihood(fit_head(one, N_CLASSES).left_out_logits, both.classes)
            for one in (both, both.seen(both.views[0]), both.seen(both.views[1]))
        ]

        assert losses[0] < min(losses[1:]) - 0.03

    def test_one_without_a_share_decides_nothing(self):
        both = self.two_looks((1.0, 0.0))

        fused, alone = (fit_head(one, N_CLASSES, (0.1,)) for one in (both, both.seen(both.views[0])))

        calls = (head.left_out_logits.argmax(axis=1) for head in (fused, alone))
        np.testing.assert_array_equal(*calls)

    def test_probabilities_of_people_left_out_are_true(self):
        both = self.two_looks()

        odds = np.exp(fit_head(both, N_CLASSES).left_out_logits)

        np.testing.assert_allclose(odds.sum(axis=1), 1.0)
        right = odds.argmax(axis=1) == both.classes
        assert odds.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.03)

    def test_the_head_gives_what_was_chosen_again(self):
        both = self.two_looks()
        fitted = fit_head(both, N_CLASSES)

        again = fit_chosen_head(both, N_CLASSES, fitted.choices)

        np.testing.assert_allclose(again.logits(both.inputs), fitted.head.logits(both.inputs))

    def test_the_other_sensor_affects_only_its_own_inputs(self):
        some = replace(self.two_looks(), other_sensor=np.ones((4, 3)))

        first, second = (some.seen(view).other_sensor for view in some.views)

        assert first is not None
        assert second is not None
        assert (first.shape, second.shape) == ((4, 2), (4, 1))
        assert replace(some, other_sensor=np.ones((4, 1))).seen(some.views[1]).other_sensor is None
