import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import sosfiltfilt

from ml.runtime.ecg.signal.filters import _band_pass_design, _ratio, band_pass, notch, resample
from tests.heartbeats import NORMAL_BEAT, beat

# Some as devices state them, from a clock or a period.
RATES_HZ = (100.0, 130.03, 199.8049, 250.0, 360.0, 497.5, 500.0, 513.625, 1000.0, 2000.0)


def sine(frequency_hz: float, fs_hz: float, seconds: float = 8.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * fs_hz)) / fs_hz)


def middle_rms(x: np.ndarray) -> float:
    third = x.size // 3
    return float(np.sqrt(np.mean(x[third : 2 * third] ** 2)))


class TestBandPass:
    @pytest.mark.parametrize("fs_hz", RATES_HZ)
    @pytest.mark.parametrize(("frequency_hz", "lowest", "highest"), [(10.0, 0.97, 1.03), (0.1, 0.0, 0.01)])
    def test_it_passes_the_band_and_stops_drift(
        self, fs_hz: float, frequency_hz: float, lowest: float, highest: float
    ) -> None:
        x = sine(frequency_hz, fs_hz, seconds=30.0)

        gain = middle_rms(band_pass(x, fs_hz, 0.5, 40.0)) / middle_rms(x)

        assert lowest <= gain <= highest

    def test_edges_are_at_a_quarter_of_the_power(self) -> None:
        x = sine(40.0, 1000.0)

        assert middle_rms(band_pass(x, 1000.0, 0.5, 40.0)) / middle_rms(x) == pytest.approx(0.5, abs=0.01)

    @pytest.mark.parametrize("fs_hz", RATES_HZ)
    def test_a_beat_stays_where_it_is(self, fs_hz: float) -> None:
        times_s = np.arange(round(4 * fs_hz)) / fs_hz
        x = beat(times_s - 2.0, NORMAL_BEAT)

        assert abs(int(np.argmax(band_pass(x, fs_hz, 0.5, 40.0))) - 2.0 * fs_hz) <= 1.0

    def test_a_step_stays_where_it_is(self) -> None:
        x = np.repeat([0.0, 1.0], 1000)

        rise = np.diff(band_pass(x, 250.0, 0.5, 40.0))

        assert abs(int(np.argmax(rise)) - 999) <= 1

    def test_it_equals_scipys_forward_backward_filter(self) -> None:
        x = np.random.default_rng(1).standard_normal(2500)
        design = _band_pass_design(250.0, 0.5, 40.0)

        expected = sosfiltfilt(design.sos, x, padtype="odd", padlen=design.settling_samples)

        np.testing.assert_allclose(band_pass(x, 250.0, 0.5, 40.0), expected, atol=1e-12)

    @given(arrays(np.float64, st.integers(2, 400), elements=st.floats(-1e7, 1e7)))
    def test_it_is_sign_equivariant_to_the_bit_and_keeps_the_shape(self, x: np.ndarray) -> None:
        y = band_pass(x, 250.0, 0.5, 40.0)

        assert y.shape == x.shape
        assert np.array_equal(band_pass(-x, 250.0, 0.5, 40.0), -y)

    def test_it_is_linear(self) -> None:
        a, b = np.random.default_rng(2).standard_normal((2, 1000))

        together = band_pass(2 * a - 3 * b, 250.0, 5.0, 20.0)

        apart = 2 * band_pass(a, 250.0, 5.0, 20.0) - 3 * band_pass(b, 250.0, 5.0, 20.0)
        np.testing.assert_allclose(together, apart, atol=1e-12)

    def test_it_does_not_write_into_its_input(self) -> None:
        x = np.random.default_rng(3).standard_normal(500)
        before = x.copy()

        band_pass(x, 250.0, 0.5, 40.0)

        assert np.array_equal(x, before)


class TestNotch:
    @pytest.mark.parametrize("mains_hz", [50.0, 60.0])
    @pytest.mark.parametrize("fs_hz", [250.0, 360.0, 500.0, 2000.0])
    def test_it_removes_the_hum_and_little_else(self, fs_hz: float, mains_hz: float) -> None:
        hum, neighbor = sine(mains_hz, fs_hz), sine(mains_hz - 10.0, fs_hz)

        assert middle_rms(notch(hum, fs_hz, mains_hz)) < 0.01 * middle_rms(hum)
        assert middle_rms(notch(neighbor, fs_hz, mains_hz)) > 0.95 * middle_rms(neighbor)

    @pytest.mark.parametrize(
        ("fs_hz", "mains_hz"), [(100.0, 50.0), (100.0, 60.0), (110.0, 50.0), (125.0, 60.0)]
    )
    def test_near_half_the_sampling_rate_it_returns_the_input(self, fs_hz: float, mains_hz: float) -> None:
        x = np.random.default_rng(4).standard_normal(500)

        assert np.array_equal(notch(x, fs_hz, mains_hz), x)

    @given(arrays(np.float64, st.integers(2, 400), elements=st.floats(-1e7, 1e7)))
    def test_it_is_sign_equivariant_to_the_bit(self, x: np.ndarray) -> None:
        assert np.array_equal(notch(-x, 250.0, 50.0), -notch(x, 250.0, 50.0))


class TestResample:
    @pytest.mark.parametrize("fs_hz", RATES_HZ)
    def test_a_slow_wave_keeps_shape_and_time(self, fs_hz: float) -> None:
        x = sine(5.0, fs_hz, seconds=10.0)

        y = resample(x, fs_hz, 250.0)

        expected = sine(5.0, 250.0, seconds=10.0)
        inside = slice(50, min(y.size, expected.size) - 50)
        np.testing.assert_allclose(y[inside], expected[inside], atol=0.01)

    @pytest.mark.parametrize("fs_hz", RATES_HZ)
    def test_the_length_follows_the_ratio(self, fs_hz: float) -> None:
        assert abs(resample(np.ones(round(10 * fs_hz)), fs_hz, 250.0).size - 2500) <= 1

    def test_equal_rates_change_nothing(self) -> None:
        x = np.random.default_rng(5).standard_normal(100)

        assert np.array_equal(resample(x, 250.0, 250.0), x)

    def test_an_odd_rate_uses_a_ratio_with_a_small_denominator(self) -> None:
        # 250 / 497.5 is 100 / 199 exactly; a rate off by a thousandth must not ask for millions of taps.
        x = np.ones(5000)

        assert resample(x, 497.5, 250.0).size == resample(x, 497.5001, 250.0).size

    def test_any_rate_is_met_within_half_a_thousandth(self) -> None:
        for fs_hz in np.random.default_rng(6).uniform(100.0, 2000.0, 1000):
            up, down = _ratio(float(fs_hz), 250.0)

            assert up / down * fs_hz == pytest.approx(250.0, rel=5e-4)
            assert max(up, down) <= 2500

    def test_a_constant_stays_constant_to_its_ends(self) -> None:
        np.testing.assert_allclose(resample(np.full(1000, 7e5), 500.0, 250.0), 7e5, rtol=1e-3)

    @given(arrays(np.float64, st.integers(3, 300), elements=st.floats(-1e7, 1e7)), st.sampled_from(RATES_HZ))
    def test_it_is_sign_equivariant_to_the_bit(self, x: np.ndarray, fs_hz: float) -> None:
        assert np.array_equal(resample(-x, fs_hz, 250.0), -resample(x, fs_hz, 250.0))
