import numpy as np
import pytest

from ml.runtime.ecg.activity.movement import MOVEMENT_NAMES, movement_features

N = 2500


def pace(hz: float, size: float = 0.5, n: int = N) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(n)
    return size * np.sin(2 * np.pi * hz * np.arange(n) / 250.0) + 0.02 * noise


class TestMovementFeatures:
    @pytest.mark.parametrize("hz", [1.0, 1.8, 2.7])
    def test_a_pace_is_found_with_its_regularity(self, hz):
        found = movement_features(pace(hz), 1.0)

        assert np.exp(found["log_pace_hz"]) == pytest.approx(hz, abs=0.1)
        assert found["pace_regularity"] > 0.8

    def test_power_lies_in_the_band_of_the_pace(self):
        found = movement_features(pace(1.8), 1.0)

        assert (
            max(
                (name for name in MOVEMENT_NAMES if name.startswith("log_power")),
                key=lambda name: found[name],
            )
            == "log_power_1.6_hz"
        )
        assert np.exp(found["log_power_1.6_hz"]) == pytest.approx(0.5**2 / 2, rel=0.2)

    def test_all_are_known_and_the_same_for_the_mirror_image_at_another_gain(self):
        found, mirrored = movement_features(pace(1.8), 1.0), movement_features(-40.0 * pace(1.8), 40.0)

        assert found.keys() == set(MOVEMENT_NAMES)
        assert mirrored == pytest.approx(found, abs=1e-6)

    def test_muscles_that_work_in_time_show_their_pace(self):
        noise = np.random.default_rng(1).standard_normal(N)
        working = noise * (1.0 + np.sin(2 * np.pi * 1.3 * np.arange(N) / 250.0))

        found = movement_features(0.1 * working, 1.0)

        assert np.exp(found["log_muscle_pace_hz"]) == pytest.approx(1.3, abs=0.1)
        assert found["log_muscle_pace_prominence"] > 1.0

    def test_three_seconds_of_nothing_give_finite_numbers(self):
        found = movement_features(np.zeros(750), 1.0)

        assert np.isfinite(list(found.values())).all()
