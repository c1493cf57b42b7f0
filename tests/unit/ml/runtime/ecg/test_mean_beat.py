import numpy as np
import pytest

from ml.runtime.ecg.mean_beat import (
    FIDUCIAL_REACH_S,
    MeanBeatConfig,
    _without_drift,
    align_beats,
    beat_shape,
    mean_beat,
    robust_mean,
)

FS_HZ = 250.0
CONFIG = MeanBeatConfig()
R_PEAKS = np.arange(200, 2400, 200)


def strip(r_peaks: np.ndarray = R_PEAKS, noise: float = 0.02) -> np.ndarray:
    """QRS and T wave at each peak."""
    time_s = np.arange(2500) / FS_HZ
    ecg = noise * np.random.default_rng(5).standard_normal(2500)
    for peak_s in r_peaks / FS_HZ:
        ecg += np.exp(-((time_s - peak_s) ** 2) / 0.0003) - 0.4 * np.exp(
            -((time_s - peak_s - 0.035) ** 2) / 0.0003
        )
        ecg += 0.3 * np.exp(-((time_s - peak_s - 0.28) ** 2) / 0.003)
    return ecg.astype(np.float32)


def whole_shape(ecg: np.ndarray, marks: np.ndarray) -> np.ndarray:
    mean = mean_beat(ecg, FS_HZ, align_beats(ecg, FS_HZ, marks, CONFIG), CONFIG)
    assert mean is not None
    shape = beat_shape(mean, FS_HZ, CONFIG)
    assert shape is not None
    return shape


class TestAlignBeats:
    def test_moves_scattered_marks_to_one_place_in_every_beat(self):
        scattered = R_PEAKS + np.array([0, 9, 0, -4, 0, 9, 0, 0, 2, 0, 0])

        aligned = align_beats(strip(), FS_HZ, scattered, CONFIG)

        assert np.ptp(aligned - R_PEAKS) <= 1

    def test_gives_the_same_marks_for_the_inverted_strip(self):
        scattered = R_PEAKS + 3 * (np.arange(R_PEAKS.size) % 2)

        np.testing.assert_array_equal(
            align_beats(-strip(), FS_HZ, scattered, CONFIG), align_beats(strip(), FS_HZ, scattered, CONFIG)
        )

    def test_leaves_two_beats_alone(self):
        np.testing.assert_array_equal(align_beats(strip(), FS_HZ, R_PEAKS[:2], CONFIG), R_PEAKS[:2])


class TestMeanBeat:
    def test_is_odd_to_the_bit(self):
        ecg = strip()

        np.testing.assert_array_equal(
            mean_beat(-ecg, FS_HZ, R_PEAKS, CONFIG), -mean_beat(ecg, FS_HZ, R_PEAKS, CONFIG)
        )

    def test_marks_at_r_or_at_s_give_the_same_beat(self):
        ecg = strip(noise=0.0)

        np.testing.assert_allclose(whole_shape(ecg, R_PEAKS), whole_shape(ecg, R_PEAKS + 9), atol=1e-3)

    def test_one_wild_beat_changes_little(self):
        ecg = strip(noise=0.0)
        wild = ecg.copy()
        wild[760:850] += 5.0 * np.sin(np.arange(90) / 5.0).astype(np.float32)

        correlation = np.corrcoef(whole_shape(ecg, R_PEAKS), whole_shape(wild, R_PEAKS))[0, 1]

        assert correlation > 0.999

    def test_beats_cut_off_by_the_end_are_left_out(self):
        assert mean_beat(strip(), FS_HZ, np.array([20, 2450]), CONFIG) is None

    def test_a_beat_cut_off_by_the_end_counts_where_the_strip_holds_it(self):
        ecg = strip(noise=0.0)[: R_PEAKS[-1] + 60]
        without = ecg.copy()
        without[R_PEAKS[-1] - 40 :] += 0.5  # Spoils the last beat, from before its QRS on.

        kept = MeanBeatConfig(huber_deviations=1e9)
        dropped = MeanBeatConfig(huber_deviations=1e9, least_share=1.0)
        changes = [
            np.abs(mean_beat(ecg, FS_HZ, R_PEAKS, c) - mean_beat(without, FS_HZ, R_PEAKS, c)).max()
            for c in (kept, dropped)
        ]

        assert changes[0] > changes[1] == 0.0

    def test_a_drift_of_second_order_leaves_no_trace(self):
        ecg = strip(noise=0.0).astype(np.float64)
        time = np.linspace(-1.0, 1.0, ecg.size)

        np.testing.assert_allclose(
            whole_shape(ecg + 5.0 * time + 8.0 * time**2, R_PEAKS), whole_shape(ecg, R_PEAKS), atol=2e-3
        )

    def test_covers_the_window_and_its_margins(self):
        mean = mean_beat(strip(), FS_HZ, R_PEAKS, CONFIG)

        assert mean is not None
        assert mean.size == round(0.25 * FS_HZ) + round(0.45 * FS_HZ) + 2 * round(FIDUCIAL_REACH_S * FS_HZ)


class TestWithoutDrift:
    def test_of_a_polynomial_nothing_is_left_however_little_the_strip_holds(self):
        time = np.linspace(-3.0, 2.0, 200)
        beats = np.array([1.0 + time, 2.0 - 3.0 * time**2, time - time**2, -time])
        present = np.ones_like(beats, dtype=bool)
        present[1, :90] = False
        present[2, 110:] = False

        for _ in range(2):  # The second time from what was kept.
            np.testing.assert_allclose(_without_drift(beats, present, slice(40, -60), 2), 0.0, atol=1e-9)

    def test_what_the_strip_does_not_hold_has_no_say(self):
        beats = np.random.default_rng(1).standard_normal((2, 200))
        present = np.ones_like(beats, dtype=bool)
        present[1, :90] = False
        beside = np.where(present, beats, 7.0)

        kept, other = (_without_drift(b, present, slice(40, -60), 2) for b in (beats, beside))

        np.testing.assert_array_equal(kept[present], other[present])


class TestRobustMean:
    def test_equal_beats_have_themselves_as_mean(self):
        beats = np.tile(np.arange(10.0), (5, 1))

        np.testing.assert_allclose(
            robust_mean(beats, np.ones_like(beats, bool), slice(None), 1.5), np.arange(10.0)
        )

    def test_two_beats_are_averaged_plainly(self):
        beats = np.array([[0.0, 2.0], [2.0, 4.0]])

        np.testing.assert_array_equal(
            robust_mean(beats, np.ones_like(beats, bool), slice(None), 1.5), [1.0, 3.0]
        )


class TestBeatShape:
    def test_is_standardized_whatever_the_unit(self):
        ecg = strip()

        for factor in (1e-3, 1.0, 1e6):
            shape = whole_shape(ecg * np.float32(factor), R_PEAKS)
            assert shape.mean() == pytest.approx(0.0, abs=1e-6)
            assert shape.std() == pytest.approx(1.0, abs=1e-6)

    def test_a_flat_beat_has_no_shape(self):
        assert beat_shape(np.zeros(235), FS_HZ, CONFIG) is None

    def test_has_the_configured_length(self):
        assert whole_shape(strip(), R_PEAKS).shape == (CONFIG.n_samples,) == (88,)
