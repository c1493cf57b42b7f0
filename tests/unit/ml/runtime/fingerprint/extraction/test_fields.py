from __future__ import annotations

import math

import numpy as np
import pytest

from ml.runtime.fingerprint.extraction.frequency import ridge_frequency
from ml.runtime.fingerprint.extraction.orientation import raw_orientations

MASK = np.ones((48, 48), np.uint8)


class TestRawOrientations:
    @pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, math.pi / 2, 2.5])
    def test_the_angle_is_that_of_the_crests(self, grating, angle):
        field = raw_orientations(grating(9.0, angle))

        middle = field.ridge_angle[8:-8, 8:-8]
        assert np.abs(np.angle(np.exp(2j * (middle - angle)))).max() < 0.05
        assert ((middle >= 0.0) & (middle < math.pi)).all()
        assert field.coherence[8:-8, 8:-8].min() > 0.95

    def test_noise_has_no_orientation(self):
        noise = np.random.default_rng(0).normal(size=(192, 192)).astype(np.float32)

        assert raw_orientations(noise).coherence.mean() < 0.2

    def test_light_and_dark_may_change_places(self, grating):
        waves = grating(9.0, 0.7)

        np.testing.assert_array_equal(raw_orientations(waves).x, raw_orientations(-waves).x)


class TestRidgeFrequency:
    @pytest.mark.parametrize("period_px", [6.0, 8.0, 9.5, 12.0, 14.0])
    @pytest.mark.parametrize("angle", [0.0, 0.8, 2.0])
    def test_the_period_is_that_of_the_waves(self, grating, period_px, angle):
        frequency = ridge_frequency(grating(period_px, angle), np.full(MASK.shape, angle, np.float32), MASK)

        assert frequency.period == pytest.approx(period_px, rel=0.08)
        np.testing.assert_allclose(frequency.smooth[3:-3, 3:-3], 1.0 / period_px, rtol=0.05)

    @pytest.mark.parametrize("period_px", [3.5, 4.5, 17.0, 19.0])
    def test_periods_that_no_finger_has_are_measured_as_well(self, grating, period_px):
        frequency = ridge_frequency(grating(period_px, 0.4), np.full(MASK.shape, 0.4, np.float32), MASK)

        assert frequency.period == pytest.approx(period_px, rel=0.1)
