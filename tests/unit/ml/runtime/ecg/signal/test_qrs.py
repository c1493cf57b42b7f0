import numpy as np
import pytest

from ml.runtime.ecg.signal.filters import band_pass
from ml.runtime.ecg.signal.qrs import _to_every_sample, find_candidates, locate_qrs, refine_peaks
from tests.heartbeats import Strip, strip

FS_HZ = 250.0


def located(known: Strip, *, plus: np.ndarray | float = 0.0, gain: float = 1.0) -> np.ndarray:
    return locate_qrs(band_pass(gain * (known.ecg_mv + plus), FS_HZ, 0.5, 40.0))


def assert_all_found(known: Strip, found: np.ndarray, tolerance_s: float = 0.02) -> None:
    assert found.size == known.r_times_s.size
    np.testing.assert_allclose(found / FS_HZ, known.r_times_s, atol=tolerance_s)


class TestLocateQrs:
    @pytest.mark.parametrize("rr_s", [0.3, 0.5, 0.83, 1.2, 1.8])
    def test_it_finds_every_beat_at_any_heart_rate(self, rr_s: float) -> None:
        known = strip(seconds=12.0, rr_s=rr_s)

        assert_all_found(known, located(known))

    def test_it_finds_wide_premature_beats(self) -> None:
        known = strip(seconds=30.0, ectopic_every=4)

        assert_all_found(known, located(known), tolerance_s=0.04)

    @pytest.mark.parametrize("height_mv", [5.0, 50.0, -300.0])
    def test_one_electrode_step_hides_no_beat_a_second_away(self, height_mv: float) -> None:
        known = strip(seconds=20.0)
        times_s = np.arange(known.ecg_mv.size) / FS_HZ
        step = height_mv * (times_s > 9.0)

        found = located(known, plus=step) / FS_HZ

        far = known.r_times_s[np.abs(known.r_times_s - 9.0) > 1.0]
        assert all(np.abs(found - r_s).min() < 0.04 for r_s in far)

    def test_seconds_at_a_rail_hide_no_beats_before_them(self) -> None:
        known = strip(seconds=20.0)
        times_s = np.arange(known.ecg_mv.size) / FS_HZ
        rails = np.where(times_s > 17.0, 150.0 * np.sign(np.sin(20.0 * times_s)), 0.0)

        found = located(known, plus=rails) / FS_HZ

        before = known.r_times_s[known.r_times_s < 16.0]
        assert all(np.abs(found - r_s).min() < 0.04 for r_s in before)

    def test_a_drop_of_the_amplitude_hides_no_beats(self) -> None:
        known = strip(seconds=30.0)
        drop = np.where(np.arange(known.ecg_mv.size) > 15 * FS_HZ, -0.75 * known.ecg_mv, 0.0)

        assert_all_found(known, located(known, plus=drop))

    def test_baseline_wander_adds_and_hides_nothing(self) -> None:
        known = strip(seconds=20.0)
        wander = 2.0 * np.sin(2 * np.pi * 0.3 * np.arange(known.ecg_mv.size) / FS_HZ)

        assert_all_found(known, located(known, plus=wander))

    @pytest.mark.parametrize("seed", range(4))
    def test_steady_noise_raises_the_threshold(self, seed: int) -> None:
        known = strip(seconds=30.0, rr_s=1.1, noise_mv=0.2, seed=seed)

        assert_all_found(known, located(known), tolerance_s=0.04)

    @pytest.mark.parametrize("gain", [-1.0, 2.0**-60, 2.0**40, -3.7e-5])
    def test_gain_and_polarity_change_nothing(self, gain: float) -> None:
        known = strip(seconds=15.0, noise_mv=0.05, ectopic_every=5)

        assert np.array_equal(located(known, gain=gain), located(known))

    def test_silence_has_no_beats(self) -> None:
        assert locate_qrs(np.zeros(1000)).size == 0

    def test_an_hour_keeps_every_beat(self) -> None:
        known = strip(seconds=3600.0)

        assert_all_found(known, located(known))


class TestFindCandidates:
    def test_candidates_are_a_refractory_time_apart_and_not_at_the_ends(self) -> None:
        noise = np.random.default_rng(1).standard_normal(5000)

        candidates = find_candidates(noise)

        assert np.diff(candidates.sample).min() >= 60
        assert candidates.sample.min() >= 15
        assert candidates.sample.max() < 4985

    def test_beats_stand_out_by_height_and_t_waves_are_blunt(self) -> None:
        known = strip(seconds=10.0, noise_mv=0.002)

        candidates = find_candidates(band_pass(known.ecg_mv, FS_HZ, 0.5, 40.0))

        distance_s = np.abs(candidates.sample[:, None] / FS_HZ - known.r_times_s).min(axis=1)
        assert candidates.height[distance_s < 0.05].min() > 0.9
        assert np.all(candidates.height[distance_s > 0.1] < 0.3)
        assert np.all(candidates.sharpness[distance_s > 0.1] < 0.1)


class TestToEverySample:
    @pytest.mark.parametrize("n_samples", [1, 20, 21, 750, 2493, 2500])
    def test_it_equals_numpys_interpolation(self, n_samples: int) -> None:
        step = 20
        values = np.random.default_rng(n_samples).uniform(1e-9, 1.0, -(-n_samples // step))

        found = _to_every_sample(values, step, n_samples)

        expected = np.interp(np.arange(n_samples), step * np.arange(values.size), values)
        np.testing.assert_allclose(found, expected, rtol=1e-15)


class TestRefinePeaks:
    def biphasic(self, second_mv: float) -> np.ndarray:
        """Five beats: up at 100 + 200 i, down ten samples later."""
        ecg = np.zeros(1100)
        ecg[100:1000:200] = 1.0
        ecg[110:1000:200] = second_mv
        return ecg

    def test_beats_move_to_the_larger_deflection(self) -> None:
        beats = np.arange(105, 1000, 200)

        assert refine_peaks(self.biphasic(-0.8), beats).tolist() == [100, 300, 500, 700, 900]
        assert refine_peaks(self.biphasic(-1.2), beats).tolist() == [110, 310, 510, 710, 910]

    def test_the_prevailing_polarity_binds_a_beat_that_hardly_differs(self) -> None:
        ecg = self.biphasic(-0.9)
        ecg[510] = -1.1

        assert refine_peaks(ecg, np.arange(105, 1000, 200)).tolist() == [100, 300, 500, 700, 900]

    def test_a_beat_that_points_the_other_way_keeps_its_own_peak(self) -> None:
        ecg = self.biphasic(-0.9)
        ecg[510] = -2.0

        assert refine_peaks(ecg, np.arange(105, 1000, 200)).tolist() == [100, 300, 510, 700, 900]

    def test_a_tie_of_polarities_is_decided_alike_for_the_mirror_image(self) -> None:
        ecg, beats = self.biphasic(-1.0), np.arange(105, 1000, 200)

        assert np.array_equal(refine_peaks(ecg, beats), refine_peaks(-ecg, beats))
