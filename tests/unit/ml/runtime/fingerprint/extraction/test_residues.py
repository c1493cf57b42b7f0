from __future__ import annotations

import math

import numpy as np
import pytest

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.gabor import SIDE, FilteredRidges
from ml.runtime.fingerprint.extraction.residues import phase_residues

BLOCKS = (12, 12)
MASK = np.ones(BLOCKS, np.uint8)


def dislocation(x, y, *, angle=0.0, positive=True, period=9.0):
    """Filtered ridges with one minutia at a point between pixels."""
    rows, columns = np.mgrid[: BLOCKS[0] * SIDE, : BLOCKS[1] * SIDE].astype(np.float64)
    dx, dy = columns - x, rows - y
    across = dy * math.cos(angle) - dx * math.sin(angle)
    turn = dx + 1j * dy if positive else dx - 1j * dy
    wave = np.exp(2j * np.pi * across / period) * turn
    number = round(angle / math.pi * c.N_ORIENTATIONS) % c.N_ORIENTATIONS
    return FilteredRidges(wave.real, wave.imag, np.full(BLOCKS, number))


class TestPhaseResidues:
    @pytest.mark.parametrize("positive", [True, False])
    @pytest.mark.parametrize(("x", "y"), [(20.3, 24.7), (17.5, 30.1), (11.9, 11.2)])
    def test_one_minutia_is_found_where_it_is_with_its_sense(self, x, y, positive):
        found = phase_residues(dislocation(x, y, positive=positive), MASK)

        assert found.positive.tolist() == [positive]
        np.testing.assert_allclose(found.xy, [[x, y]], atol=0.25)

    def test_ridges_without_end_have_none(self):
        rows, columns = np.mgrid[: BLOCKS[0] * SIDE, : BLOCKS[1] * SIDE]
        wave = np.exp(2j * np.pi * (0.8 * rows + 0.6 * columns) / 9.0)

        found = phase_residues(FilteredRidges(wave.real, wave.imag, np.zeros(BLOCKS, np.int64)), MASK)

        assert len(found.xy) == 0

    def test_inverted_ridges_have_the_same(self):
        ridges = dislocation(20.3, 24.7)
        inverted = FilteredRidges(-ridges.even, -ridges.odd, ridges.orientation)

        found, again = phase_residues(ridges, MASK), phase_residues(inverted, MASK)

        np.testing.assert_array_equal(found.xy, again.xy)
        np.testing.assert_array_equal(found.positive, again.positive)

    def test_none_is_found_where_filters_of_opposite_sense_meet(self):
        """Orientations just below half a turn count phases against those just above none."""
        rows = np.mgrid[: BLOCKS[0] * SIDE, : BLOCKS[1] * SIDE][0]
        wave = np.exp(2j * np.pi * rows / 9.0)
        orientation = np.zeros(BLOCKS, np.int64)
        orientation[:, 5:] = c.N_ORIENTATIONS - 1
        wave[:, 5 * SIDE :] = wave[:, 5 * SIDE :].conj()

        found = phase_residues(FilteredRidges(wave.real, wave.imag, orientation), MASK)

        assert len(found.xy) == 0

    def test_none_is_sought_outside_the_mask(self):
        found = phase_residues(dislocation(20.3, 24.7), np.zeros(BLOCKS, np.uint8))

        assert len(found.xy) == 0
