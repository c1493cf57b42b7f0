from dataclasses import replace

import numpy as np
import pytest

from ml.export.activity.network import heads_network
from ml.runtime.bundle import BundleError
from ml.runtime.ecg.activity.head import FusedHead, LinearHead, Standardization, View
from ml.runtime.ecg.activity.trunk import Trunk, TrunkWindows, context_windows
from ml.runtime.ecg.signal.conditioning import ConditionedEcg, examine
from tests.moving import FS_HZ, TRUNK_SIZE, made_up_trunk, moving_signal

CONFIG = TrunkWindows()
PART = LinearHead(Standardization.of(np.ones((3, 4))), np.ones((4, 2)), np.ones(2))
HEAD = FusedHead((PART,), (View(np.arange(4), 1.0),))
STEP = round(CONFIG.step_s * CONFIG.fs_hz)


def strip(seconds: float = 24.0, gain: float = 1.0) -> ConditionedEcg:
    return examine(gain * moving_signal(2, seconds), FS_HZ)


class TestTrunkWindows:
    @pytest.mark.parametrize(
        ("fields", "message"), [({"step_s": 0.0}, "positive"), ({"fs_hz": 33.0}, "divide")]
    )
    def test_what_cannot_be_cut_is_refused(self, fields, message):
        with pytest.raises(ValueError, match=message):
            TrunkWindows(**fields)


class TestContextWindows:
    def test_each_context_averages_the_windows_within_it(self):
        windows, pooling = context_windows(strip(), np.array([0.0, 6.0]), 12.0, CONFIG)

        # Every 3 s from its start, and one that ends with it; the first's third and fourth are in both.
        assert pooling.shape == (2, len(windows))
        np.testing.assert_allclose(pooling.sum(axis=1), 1.0, rtol=1e-6)
        assert ((pooling > 0.0).sum(axis=1) == 5).all()
        alone = context_windows(strip(), np.array([6.0]), 12.0, CONFIG)
        np.testing.assert_array_equal(windows[pooling[1] > 0.0], alone.windows)

    def test_windows_that_contexts_share_are_read_once(self):
        windows, pooling = context_windows(strip(), 3.0 * np.arange(4), 12.0, CONFIG)

        assert len(windows) < 4 * 5
        assert (pooling > 0.0).sum() == 4 * 5
        assert len(np.unique(windows, axis=0)) == len(windows)

    @pytest.mark.parametrize("gain", [-1.0, 7.5])
    def test_gain_and_polarity_change_nothing(self, gain):
        expected, found = (
            context_windows(strip(gain=g), np.zeros(1), 12.0, CONFIG).windows for g in (1.0, gain)
        )

        np.testing.assert_allclose(found, expected, atol=2e-3)

    def test_windows_are_standardized(self):
        windows, _ = context_windows(strip(), np.zeros(1), 12.0, CONFIG)

        np.testing.assert_allclose(windows.mean(axis=1), 0.0, atol=0.05)
        np.testing.assert_allclose(windows.std(axis=1), 1.0, atol=0.1)

    def test_a_strip_a_little_shorter_than_a_window_is_read(self):
        whole = strip(3.0)
        short = replace(whole, ecg=whole.ecg[:730], r_peaks=whole.r_peaks[whole.r_peaks < 730])

        windows, pooling = context_windows(short, np.zeros(1), 3.0, CONFIG)

        assert windows.shape == (1, CONFIG.n_samples)
        assert np.isfinite(windows).all()
        assert pooling.tolist() == [[1.0]]

    def test_a_context_beyond_the_end_is_moved_into_the_strip(self):
        late, last = (
            context_windows(strip(), np.array([start_s]), 12.0, CONFIG).windows for start_s in (13.0, 12.0)
        )

        np.testing.assert_array_equal(late, last)


class TestTrunk:
    def test_a_context_alone_equals_the_same_among_others(self):
        trunk = made_up_trunk()

        together = trunk.features(strip(), np.array([0.0, 4.0, 9.0]), 10.0)

        assert together.shape == (3, TRUNK_SIZE)
        alone = trunk.features(strip(), np.array([4.0]), 10.0)
        np.testing.assert_allclose(together[1], alone[0], rtol=1e-4)

    def test_another_network_is_refused(self):
        with pytest.raises(BundleError, match="expected the"):
            Trunk(heads_network([HEAD]), CONFIG)
