import numpy as np
import pytest

from ml.runtime.ecg.activity.rhythm import RHYTHM_NAMES, rhythm_features


def moments_s(*rr_s: float) -> np.ndarray:
    return np.concatenate([[0.5], 0.5 + np.cumsum(rr_s)])


class TestRhythmFeatures:
    def test_an_even_rhythm_has_its_rate_and_no_slope(self):
        found = rhythm_features(moments_s(*[0.5] * 8))

        assert np.exp(found["log_heart_rate"]) == pytest.approx(120.0)
        assert found["heart_rate_slope"] == pytest.approx(0.0, abs=1e-12)
        assert found["regular_share"] == 1.0

    def test_a_rising_rate_has_a_positive_slope(self):
        found = rhythm_features(moments_s(1.0, 0.95, 0.9, 0.86, 0.82))

        assert found["heart_rate_slope"] > 0.03

    def test_a_missed_beat_moves_neither_rate_nor_deviation(self):
        found = rhythm_features(moments_s(0.6, 0.6, 1.2, 0.6, 0.6, 0.6))

        assert np.exp(found["log_heart_rate"]) == pytest.approx(100.0)
        assert np.exp(found["log_rr_deviation"]) == pytest.approx(0.003)
        assert found["regular_share"] == pytest.approx(5 / 6)

    def test_changes_are_taken_between_neighbors_only(self):
        found = rhythm_features(moments_s(0.6, 0.6, 1.2, 0.66, 0.66))

        assert np.exp(found["log_rr_change"]) == pytest.approx(0.003)

    @pytest.mark.parametrize("n_beats", [0, 1])
    def test_without_an_interval_nothing_is_known(self, n_beats):
        assert rhythm_features(np.arange(float(n_beats))) == {}

    def test_two_beats_give_a_rate_and_no_change(self):
        found = rhythm_features(np.array([0.0, 0.8]))

        assert set(found) < set(RHYTHM_NAMES)
        assert "log_rr_change" not in found
