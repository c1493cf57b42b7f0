from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.fingerprint.growth import grow
from ml.synthetic.fingerprint.random_fields import stream


class TestGrow:
    @pytest.mark.parametrize("period_px", [7.5, 9.0, 11.0])
    @pytest.mark.parametrize("towards", [0.0, 0.4, 2.0])
    def test_ridges_follow_direction_and_period(self, period_px, towards):
        direction = np.full((120, 120), towards, np.float32)

        wave = grow(direction, np.full_like(direction, period_px), 2, stream(1))

        phasor = (wave.cosine + 1j * wave.sine)[20:-20, 20:-20]
        right = np.angle(phasor[:, 1:] * phasor[:, :-1].conj()).mean() / 2
        down = np.angle(phasor[1:] * phasor[:-1].conj()).mean() / 2
        assert 2.0 * np.pi / np.hypot(right, down) == pytest.approx(period_px, rel=0.06)
        # Ridges have no sense: angles are compared as their doubles.
        doubled = np.exp(2j * np.arctan2(-right, down))
        assert abs(np.angle(doubled * np.exp(-2j * towards))) < 0.06

    def test_ridges_saturate_everywhere_but_at_minutiae(self):
        direction = np.full((120, 120), 0.4, np.float32)

        wave = grow(direction, np.full_like(direction, 9.0), 2, stream(1))

        strength = np.hypot(wave.cosine, wave.sine)
        assert np.mean(strength > 0.5 * np.median(strength)) > 0.9
