import numpy as np
import pytest

from ml.runtime.ecg.activity.head import (
    FusedHead,
    LinearHead,
    Standardization,
    View,
    contaminated,
    softmax,
)


class TestStandardization:
    def test_known_values_get_mean_zero_and_deviation_one(self):
        inputs = np.random.default_rng(0).normal(5.0, 3.0, (200, 2))

        found = Standardization.of(inputs).apply(inputs)

        np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(found.std(axis=0), 1.0, atol=1e-12)

    def test_what_is_not_known_is_the_median(self):
        standardization = Standardization.of(np.array([[1.0], [2.0], [9.0], [np.nan]]))

        assert standardization.apply(np.array([[np.nan]])) == standardization.apply(np.array([[2.0]]))

    def test_what_is_far_out_is_cut_off(self):
        standardization = Standardization.of(np.arange(101.0)[:, None])

        far, limits = (standardization.apply(np.array(x)[:, None]) for x in ([-1e9, 1e9], [5.0, 95.0]))

        np.testing.assert_allclose(far, limits, atol=1e-12)
        assert standardization.apply(np.array([[94.0]])) < far[1]

    def test_never_known_and_constant_inputs_are_zero(self):
        inputs = np.array([[np.nan, 3.0], [np.nan, 3.0]])

        assert not Standardization.of(inputs).apply(inputs).any()


class TestHead:
    INPUTS = np.random.default_rng(0).standard_normal((4, 2))
    HEAD = LinearHead(Standardization.of(INPUTS), np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]), np.ones(3))

    def test_logits_are_log_probabilities_of_scores(self):
        np.testing.assert_allclose(
            np.exp(self.HEAD.logits(self.INPUTS)), softmax(self.HEAD.scores(self.INPUTS))
        )

    def test_a_temperature_divides_scores(self):
        found = self.HEAD.calibrated(2.0, 0.0)

        np.testing.assert_allclose(found.scores(self.INPUTS), self.HEAD.scores(self.INPUTS) / 2.0)

    def test_a_contamination_bounds_probabilities(self):
        sure = self.HEAD.calibrated(1e-3, 0.3)

        probabilities = np.exp(sure.logits(self.INPUTS))

        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
        np.testing.assert_allclose(probabilities.max(axis=1), 0.8)
        np.testing.assert_allclose(probabilities.min(axis=1), 0.1)


class TestContaminated:
    def test_it_is_temperature_then_mixture(self):
        scores = np.array([[2.0, 0.0, -4.0]])

        found = np.exp(contaminated(scores, 0.06, 2.0))

        np.testing.assert_allclose(found, 0.94 * softmax(scores / 2.0) + 0.02)

    def test_huge_scores_stay_finite(self):
        found = contaminated(np.array([[1e6, 0.0]]), 0.01)

        np.testing.assert_allclose(found, np.log([[0.995, 0.005]]))


class TestFusedHead:
    @staticmethod
    def parts() -> tuple[np.ndarray, tuple[LinearHead, ...], tuple[View, ...]]:
        """Inputs, two heads, and what each of them reads."""
        random = np.random.default_rng(1)
        inputs = random.standard_normal((30, 5))
        inputs[3, 1] = np.nan
        views = (View(np.array([0, 3, 4]), 0.7), View(np.array([1, 2]), 0.3))
        heads = tuple(
            LinearHead(
                Standardization.of(inputs[:, view.columns]),
                random.standard_normal((view.columns.size, 3)),
                random.normal(size=3),
                0.1,
            )
            for view in views
        )
        return inputs, heads, views

    def test_log_probabilities_of_its_parts_add_up_by_their_shares(self):
        inputs, heads, views = self.parts()

        found = FusedHead(heads, views, temperature=1.5).logits(inputs)

        logits = [head.logits(inputs[:, view.columns]) for head, view in zip(heads, views, strict=True)]
        np.testing.assert_allclose(np.exp(found), softmax((0.7 * logits[0] + 0.3 * logits[1]) / 1.5))

    def test_a_part_that_is_sure_and_wrong_is_overruled(self):
        inputs, (first, second), views = self.parts()
        sure = LinearHead(second.standardization, second.weights, np.array([1e4, 0.0, 0.0]), 0.1)
        decided = LinearHead(first.standardization, first.weights, np.array([0.0, 50.0, 0.0]), 0.01)

        found = FusedHead((decided, sure), views).logits(inputs)

        assert (found.argmax(axis=1) == 1).all()


class TestSoftmax:
    def test_certain_logits_stay_finite(self):
        assert softmax(np.array([1000.0, 0.0])).tolist() == [1.0, 0.0]

    def test_adds_up_to_one(self):
        assert softmax(np.array([0.3, 0.1, -2.0])).sum() == pytest.approx(1.0)
