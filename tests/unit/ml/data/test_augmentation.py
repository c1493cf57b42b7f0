import numpy as np
import pytest

from ml.data.augmentation import high_pass_like_a_sensor, vary_repolarization

FS_HZ = 250.0
FIDUCIAL = 100
TIME_S = (np.arange(300) - FIDUCIAL) / FS_HZ
BEAT = np.exp(-(TIME_S**2) / 0.0004) + 0.3 * np.exp(-((TIME_S - 0.3) ** 2) / 0.002)
NOTHING = {"t_amplitude_sd": 0.0, "t_stretch_sd": 0.0, "jitter_s": 0.0}


def varied(**amounts: float) -> np.ndarray:
    beats = np.tile(BEAT, (40, 1))
    return vary_repolarization(beats, FS_HZ, FIDUCIAL, np.random.default_rng(1), **(NOTHING | amounts))


class TestVaryRepolarization:
    def test_no_variation_changes_nothing(self):
        np.testing.assert_allclose(varied(), np.tile(BEAT, (40, 1)), atol=1e-12)

    def test_amplitude_changes_the_t_wave_and_leaves_the_qrs(self):
        beats = varied(t_amplitude_sd=0.2)

        np.testing.assert_allclose(beats[:, :115], np.tile(BEAT[:115], (40, 1)), atol=1e-12)
        assert np.log(beats[:, 175] / BEAT[175]).std() == pytest.approx(0.2, rel=0.35)

    def test_stretch_moves_the_t_peak_and_leaves_the_qrs(self):
        beats = varied(t_stretch_sd=0.05)

        peaks_s = TIME_S[130 + np.argmax(beats[:, 130:], axis=1)]
        np.testing.assert_allclose(beats[:, :115], np.tile(BEAT[:115], (40, 1)), atol=1e-12)
        assert peaks_s.std() == pytest.approx(0.05 * 0.24, rel=0.4)

    def test_is_odd(self):
        rng = np.random.default_rng
        one = vary_repolarization(
            BEAT[None], FS_HZ, FIDUCIAL, rng(3), t_amplitude_sd=0.2, t_stretch_sd=0.05, jitter_s=0.002
        )
        other = vary_repolarization(
            -BEAT[None], FS_HZ, FIDUCIAL, rng(3), t_amplitude_sd=0.2, t_stretch_sd=0.05, jitter_s=0.002
        )

        np.testing.assert_array_equal(other, -one)


class TestHighPassLikeASensor:
    def test_removes_a_constant(self):
        ecg = np.full(2500, 3.0)

        passed = high_pass_like_a_sensor(ecg, FS_HZ, np.random.default_rng(0), high_pass_hz=(0.5, 0.5))

        np.testing.assert_allclose(passed, 0.0, atol=1e-9)

    def test_halves_the_power_at_its_corner(self):
        time_s = np.arange(25000) / FS_HZ
        sine = np.sin(2 * np.pi * time_s)

        passed = high_pass_like_a_sensor(sine, FS_HZ, np.random.default_rng(0), high_pass_hz=(1.0, 1.0))

        assert (passed[5000:] ** 2).mean() / (sine[5000:] ** 2).mean() == pytest.approx(0.5, rel=0.01)

    def test_corner_is_drawn_anew(self):
        ecg = np.random.default_rng(0).standard_normal(1000)
        rng = np.random.default_rng(0)

        first, second = (high_pass_like_a_sensor(ecg, FS_HZ, rng, high_pass_hz=(0.05, 1.0)) for _ in range(2))

        assert not np.array_equal(first, second)
