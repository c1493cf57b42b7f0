from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.fingerprint.growth import RidgeWave
from ml.synthetic.fingerprint.true_minutiae import find_minutiae

PERIOD = 5.0


def spiral(at, charge, offset, size=41):
    """Horizontal ridges with one more line to the right (charge 1) or to the left (−1) of a place."""
    row, column = np.mgrid[0:size, 0:size].astype(float)
    turned = charge * np.angle((column - at[0]) + 1j * (row - at[1]))
    phase = 2.0 * np.pi * (row - at[1]) / PERIOD + turned + offset
    strength = np.tanh(0.5 * np.hypot(column - at[0], row - at[1]))
    wave = RidgeWave(
        (strength * np.cos(phase)).astype(np.float32), (strength * np.sin(phase)).astype(np.float32)
    )
    return wave, np.zeros((size, size), np.float32), np.full((size, size), PERIOD, np.float32)


class TestFindMinutiae:
    @pytest.mark.parametrize(("charge", "towards"), [(1, 0.0), (-1, np.pi)])
    @pytest.mark.parametrize("is_ridge", [True, False])
    def test_a_spiral_of_the_phase_is_found_where_it_is(self, charge, towards, is_ridge):
        # Ahead of the spiral its own turn is 0 (or π): there the offset decides between ridge and valley.
        ahead = 0.0 if charge == 1 else np.pi
        wave, direction, period = spiral((20.3, 18.6), charge, (0.0 if is_ridge else np.pi) - ahead)

        found = find_minutiae(wave, direction, period, 1.0)

        assert len(found) == 1
        np.testing.assert_allclose(found.xy[0], (20.3, 18.6), atol=0.5)
        assert found.direction[0] == pytest.approx(towards)
        assert found.is_ending[0] == is_ridge

    def test_a_sine_of_the_other_sense_changes_nothing(self):
        """Where the direction passes π, the sine changes its sign."""
        wave, direction, period = spiral((20.3, 18.6), 1, 0.0)
        right = np.s_[:, 25:]
        direction[right], wave.sine[right] = np.pi - 1e-3, -wave.sine[right]

        found = find_minutiae(wave, direction, period, 1.0)

        assert len(found) == 1

    def test_ridges_without_an_end_have_no_minutiae(self):
        wave, direction, period = spiral((20.3, 18.6), 0, 0.0)

        assert len(find_minutiae(wave, direction, period, 1.0)) == 0
