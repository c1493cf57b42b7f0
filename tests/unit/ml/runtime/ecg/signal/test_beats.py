import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.runtime.ecg.signal.beats import (
    beat_units,
    cut_beats,
    detect_r_peaks,
    heart_rate_bpm,
    reject_outlier_beats,
    whole_beats,
)
from tests.heartbeats import NORMAL_BEAT, beat, strip


class TestDetectRPeaks:
    @pytest.mark.parametrize("fs_hz", [100.0, 250.0, 333.3, 360.0, 497.5, 500.0, 1000.0, 2000.0])
    def test_peaks_are_indices_at_the_rate_of_the_strip(self, fs_hz: float) -> None:
        known = strip(fs_hz=fs_hz)

        found = detect_r_peaks(known.ecg_mv.astype(np.float32), fs_hz)

        assert found.dtype == np.int64
        np.testing.assert_allclose(found / fs_hz, known.r_times_s, atol=0.012)

    def test_a_large_offset_changes_nothing(self) -> None:
        counts = np.round(1000 * strip().ecg_mv)

        assert np.array_equal(detect_r_peaks(counts + 1e6, 250.0), detect_r_peaks(counts, 250.0))

    @pytest.mark.parametrize("n_samples", [0, 1, 2, 10])
    def test_next_to_nothing_has_no_beats(self, n_samples: int) -> None:
        assert detect_r_peaks(np.arange(n_samples, dtype=np.float64), 250.0).size == 0


class TestCutBeats:
    def test_r_lies_before_s_times_fs_into_each_window(self) -> None:
        ecg = np.arange(1000, dtype=np.float32)

        beats = cut_beats(ecg, 100.0, np.array([300, 500]), before_s=0.25, after_s=0.45)

        assert beats.shape == (2, 70)
        assert beats.dtype == np.float32
        assert beats[:, 25].tolist() == [300.0, 500.0]

    def test_beats_that_are_not_whole_are_left_out(self) -> None:
        peaks = np.array([24, 25, 955, 956])

        assert cut_beats(np.arange(1000.0), 100.0, peaks, 0.25, 0.45)[:, 25].tolist() == [25.0, 955.0]
        assert whole_beats(1000, 100.0, peaks, 0.25, 0.45).tolist() == [False, True, True, False]

    def test_no_peaks_make_no_beats(self) -> None:
        assert cut_beats(np.arange(1000.0), 100.0, np.empty(0, dtype=np.int64), 0.25, 0.45).shape == (0, 70)


class TestBeatUnits:
    def test_units_have_no_offset_and_length_one(self) -> None:
        units = beat_units(5.0 + 1e6 * np.random.default_rng(1).standard_normal((4, 50)))

        np.testing.assert_allclose(units.mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1.0)

    def test_a_constant_beat_becomes_zeros(self) -> None:
        assert not beat_units(np.full((1, 50), 7.0)).any()


class TestRejectOutlierBeats:
    def beats(self, n_beats: int = 9) -> np.ndarray:
        times_s = np.arange(-50, 88) / 250.0
        noise = 0.02 * np.random.default_rng(2).standard_normal((n_beats, times_s.size))
        return beat(times_s, NORMAL_BEAT) + noise

    def test_beats_of_one_shape_are_all_kept(self) -> None:
        assert reject_outlier_beats(self.beats()).all()

    def test_another_shape_is_rejected(self) -> None:
        beats = self.beats()
        beats[3] = np.random.default_rng(3).standard_normal(beats.shape[1])

        assert np.flatnonzero(~reject_outlier_beats(beats)).tolist() == [3]

    @pytest.mark.parametrize("factor", [-1.0, 0.4, 2.0])
    def test_another_polarity_or_size_is_rejected(self, factor: float) -> None:
        beats = self.beats()
        beats[5] *= factor

        assert np.flatnonzero(~reject_outlier_beats(beats)).tolist() == [5]

    @pytest.mark.parametrize("n_beats", [0, 1, 2])
    def test_few_beats_are_all_kept(self, n_beats: int) -> None:
        assert reject_outlier_beats(np.random.default_rng(4).standard_normal((n_beats, 50))).all()

    @given(arrays(np.float64, st.tuples(st.integers(1, 12), st.just(20)), elements=st.floats(-1e7, 1e7)))
    def test_something_is_always_kept_and_the_sign_does_not_matter(self, beats: np.ndarray) -> None:
        keep = reject_outlier_beats(beats)

        assert keep.shape == (len(beats),)
        assert keep.any()
        assert np.array_equal(reject_outlier_beats(-beats), keep)


class TestHeartRateBpm:
    def test_it_is_the_rate_of_the_median_interval(self) -> None:
        assert heart_rate_bpm(np.array([0, 200, 400, 2000]), 250.0) == 75.0

    @pytest.mark.parametrize("r_peaks", [[], [100]])
    def test_it_is_unknown_with_fewer_than_two_beats(self, r_peaks: list[int]) -> None:
        assert heart_rate_bpm(np.array(r_peaks, dtype=np.int64), 250.0) is None
