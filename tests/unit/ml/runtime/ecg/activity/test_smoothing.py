from itertools import pairwise, product

import numpy as np
import pytest

from ml.runtime.ecg.activity.smoothing import smooth, stay_probability, temper


def by_every_path(log_evidence: np.ndarray, stay: float) -> np.ndarray:
    """The definition: all sequences of activities, weighed by how likely they are."""
    n_segments, n_classes = log_evidence.shape
    found = np.zeros((n_segments, n_classes))
    for path in product(range(n_classes), repeat=n_segments):
        weight = np.exp(sum(log_evidence[t, k] for t, k in enumerate(path)))
        for a, b in pairwise(path):
            weight *= stay if a == b else (1.0 - stay) / (n_classes - 1)
        for t, k in enumerate(path):
            found[t, k] += weight
    return found / found.sum(axis=1, keepdims=True)


class TestSmooth:
    def test_is_the_sum_over_all_sequences(self):
        log_evidence = np.random.default_rng(0).standard_normal((5, 3))

        np.testing.assert_allclose(smooth(log_evidence, 0.8), by_every_path(log_evidence, 0.8), atol=1e-12)

    def test_forward_only_knows_nothing_of_what_comes(self):
        log_evidence = np.random.default_rng(1).standard_normal((6, 3))

        whole = smooth(log_evidence, 0.8, forward_only=True)

        np.testing.assert_allclose(whole[:4], smooth(log_evidence[:4], 0.8, forward_only=True))
        np.testing.assert_allclose(whole[-1], by_every_path(log_evidence, 0.8)[-1])

    def test_a_lone_segment_that_disagrees_is_overruled(self):
        log_evidence = np.tile([1.0, 0.0], (9, 1))
        log_evidence[4] = [0.0, 1.0]

        assert (smooth(log_evidence, 0.95).argmax(axis=1) == 0).all()

    def test_uninformative_segments_follow_their_neighbors(self):
        log_evidence = np.zeros((3, 2))
        log_evidence[0] = log_evidence[2] = [2.0, 0.0]

        assert smooth(log_evidence, 0.95)[1, 0] > 0.8

    def test_an_hour_of_certain_evidence_stays_finite(self):
        log_evidence = np.tile([0.0, -800.0, -900.0], (1200, 1))

        found = smooth(log_evidence, 0.95)

        np.testing.assert_allclose(found.sum(axis=1), 1.0)

    @pytest.mark.parametrize(("n_classes", "stay"), [(1, 0.9), (3, 0.0), (3, 1.1)])
    def test_what_is_no_chain_is_refused(self, n_classes, stay):
        with pytest.raises(ValueError, match="two classes"):
            smooth(np.zeros((4, n_classes)), stay)


class TestTemper:
    PROBABILITIES = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])

    def test_one_leaves_probabilities_as_they_are(self):
        np.testing.assert_allclose(temper(self.PROBABILITIES, 1.0), self.PROBABILITIES)

    def test_above_one_odds_shrink_to_their_root(self):
        found = temper(self.PROBABILITIES, 2.0)

        np.testing.assert_allclose(found.sum(axis=1), 1.0)
        assert found[0, 0] / found[0, 1] == pytest.approx(np.sqrt(0.7 / 0.2))


class TestStayProbability:
    def test_a_minute_of_dwell_leaves_a_twentieth_to_change_in_three_seconds(self):
        assert stay_probability(3.0, 60.0) == pytest.approx(0.951, abs=1e-3)
