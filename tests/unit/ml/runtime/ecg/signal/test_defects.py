import numpy as np
import pytest

from ml.runtime.ecg.signal.defects import flat_samples, saturated_samples
from tests.heartbeats import strip


class TestFlatSamples:
    def test_seconds_without_change_are_flat_and_nothing_else(self) -> None:
        ecg = strip(fs_hz=250.0, seconds=8.0).ecg_mv
        ecg[500:900] = 0.0

        flat = flat_samples(ecg, 250.0)

        assert np.flatnonzero(flat).tolist() == list(range(500, 900))

    @pytest.mark.parametrize(("n_equal", "flat"), [(249, False), (250, True)])
    def test_a_second_is_long_enough(self, n_equal: int, flat: bool) -> None:
        ecg = np.random.default_rng(1).standard_normal(1000)
        ecg[300 : 300 + n_equal] = 0.0

        assert flat_samples(ecg, 250.0).any() == flat

    def test_a_pause_of_a_coarsely_quantized_strip_is_not_flat(self) -> None:
        ecg = np.round(strip(noise_mv=0.0).ecg_mv / 0.1) * 0.1

        assert not flat_samples(ecg, 250.0).any()


class TestSaturatedSamples:
    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_clipped_peaks_are_found(self, sign: float) -> None:
        ecg = sign * strip(noise_mv=0.0).ecg_mv
        clipped = np.clip(ecg, -0.5, 0.5)

        saturated = saturated_samples(clipped, 250.0)

        assert np.array_equal(saturated, np.abs(clipped) == 0.5)
        assert saturated.mean() > 0.02

    def test_a_whole_strip_has_none(self) -> None:
        assert not saturated_samples(strip().ecg_mv, 250.0).any()

    def test_resting_at_the_lowest_value_is_not_saturation(self) -> None:
        ecg = np.maximum(strip(noise_mv=0.0).ecg_mv, 0.0)

        assert not saturated_samples(ecg, 250.0).any()

    def test_one_sample_at_the_rail_is_a_peak(self) -> None:
        ecg = strip(fs_hz=100.0).ecg_mv

        assert saturated_samples(ecg, 100.0).sum() == 0
