import numpy as np
import pytest

from ml.runtime.ecg.activity.features import FEATURE_NAMES, mean_quality, window_features
from ml.runtime.ecg.signal.conditioning import examine
from ml.runtime.ecg.signal.quality import Segment, SignalQuality
from tests.heartbeats import strip
from tests.moving import FS_HZ, moving_signal


def feature(values: np.ndarray, name: str) -> float:
    return float(values[FEATURE_NAMES.index(name)])


class TestWindowFeatures:
    def test_heart_rate_and_pace_are_found(self):
        walking = examine(moving_signal(2, 20.0), FS_HZ)

        found = window_features(walking, 0.0, 20.0)

        assert 85.0 < np.exp(feature(found, "log_heart_rate")) < 100.0
        assert np.exp(feature(found, "log_pace_hz")) == pytest.approx(1.8, abs=0.15)
        assert np.isfinite(found).all()

    def test_gain_and_polarity_change_nothing(self):
        ecg = moving_signal(2, 10.0).astype(np.float64)
        upright, inverted = examine(ecg, FS_HZ), examine(-3.0 * ecg, FS_HZ)

        np.testing.assert_allclose(
            window_features(inverted, 0.0, 10.0), window_features(upright, 0.0, 10.0), atol=1e-3
        )

    def test_a_window_of_a_long_strip_is_nearly_what_it_is_alone(self):
        ecg = moving_signal(3, 60.0)
        whole, alone = examine(ecg, FS_HZ), examine(ecg[5000:7500], FS_HZ)

        within, cut = window_features(whole, 20.0, 30.0), window_features(alone, 0.0, 10.0)

        for name in ("log_heart_rate", "log_pace_hz", "log_size", "log_power_2.5_hz"):
            assert feature(within, name) == pytest.approx(feature(cut, name), abs=0.1)

    def test_without_a_beat_only_quality_is_known(self):
        nothing = examine(np.random.default_rng(0).standard_normal(750), FS_HZ)
        beatless = type(nothing)(
            nothing.ecg, nothing.fs_hz, np.empty(0, np.int64), nothing.quality, nothing.heart_rate_bpm
        )

        found = window_features(beatless, 0.0, 3.0)

        assert np.flatnonzero(np.isfinite(found)).tolist() == [FEATURE_NAMES.index("quality")]

    def test_names_differ(self):
        assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
        assert window_features(examine(strip().ecg_mv, 250.0), 0.0, 10.0).shape == (len(FEATURE_NAMES),)


class TestMeanQuality:
    def test_segments_count_by_what_a_window_holds_of_them(self):
        quality = SignalQuality(0.5, (Segment(0.0, 5.0, 0.9, True), Segment(5.0, 10.0, 0.3, True)))

        assert mean_quality(quality, 4.0, 7.0) == pytest.approx((0.9 + 2 * 0.3) / 3)
