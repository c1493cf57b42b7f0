from __future__ import annotations

import math

import numpy as np
import pytest

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.gabor import SIDE, filter_ridges


def slow_response(picture, y, x, angle, frequency):
    """Even and odd part at one pixel, by the formula."""
    radius = c.FILTER_RADIUS
    even, odd, envelopes, values = [], [], [], []
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            across = (dy * math.cos(angle) - dx * math.sin(angle)) * frequency
            along = (dx * math.cos(angle) + dy * math.sin(angle)) * frequency
            envelope = math.exp(-((across / c.SIGMA_ACROSS) ** 2 + (along / c.SIGMA_ALONG) ** 2) / 2)
            even.append(envelope * math.cos(2 * math.pi * across))
            odd.append(envelope * math.sin(2 * math.pi * across))
            envelopes.append(envelope)
            inside = 0 <= y + dy < picture.shape[0] and 0 <= x + dx < picture.shape[1]
            values.append(picture[y + dy, x + dx] if inside else 0.0)
    even = np.array(even) - np.array(envelopes) * sum(even) / sum(envelopes)
    return np.array([even @ values, np.array(odd) @ values]) / np.abs(even).sum()


@pytest.fixture
def blocks():
    """A picture of noise, and another orientation and frequency of the bank for each of its blocks."""
    rng = np.random.default_rng(0)
    shape = (6, 5)
    orientation = rng.integers(0, c.N_ORIENTATIONS, shape)
    frequency = np.array(c.FREQUENCIES)[rng.integers(0, len(c.FREQUENCIES), shape)]
    picture = rng.normal(size=(shape[0] * SIDE, shape[1] * SIDE))
    angle = orientation * math.pi / c.N_ORIENTATIONS
    return picture.astype(np.float32), angle.astype(np.float32), frequency.astype(np.float32)


class TestFilterRidges:
    @pytest.mark.parametrize("at", [(0, 0), (3, 7), (10, 11), (17, 4), (23, 19)])
    def test_each_pixel_has_the_filter_of_its_block(self, blocks, at):
        picture, angle, frequency = blocks

        ridges = filter_ridges(picture, angle, frequency, np.ones(angle.shape, np.uint8), pixel=1)

        block = at[0] // SIDE, at[1] // SIDE
        expected = slow_response(picture, *at, angle[block], frequency[block])
        np.testing.assert_allclose([ridges.even[at], ridges.odd[at]], expected, atol=1e-5)

    def test_blocks_outside_the_mask_stay_empty(self, blocks):
        picture, angle, frequency = blocks
        mask = np.zeros(angle.shape, np.uint8)
        mask[2, 3] = 1

        amplitude = filter_ridges(picture, angle, frequency, mask, pixel=1).amplitude

        assert (amplitude[8:12, 12:16] > 0).all()
        assert np.count_nonzero(amplitude) == SIDE * SIDE

    def test_angles_of_half_a_turn_and_of_none_are_the_same(self, blocks):
        picture, angle, frequency = blocks
        mask = np.ones(angle.shape, np.uint8)

        none, half = (
            filter_ridges(picture, np.full_like(angle, turn), frequency, mask, pixel=1)
            for turn in (0.0, np.pi)
        )

        np.testing.assert_array_equal(none.orientation, half.orientation)
        np.testing.assert_array_equal(none.odd, half.odd)

    @pytest.mark.parametrize("pixel", [1, 2])
    def test_ridges_of_the_right_period_come_through_at_their_phase(self, grating, pixel):
        angle = 5 * math.pi / c.N_ORIENTATIONS
        frequency = c.FREQUENCIES[2]
        picture = grating(1.0 / frequency / pixel, angle, (64, 64))
        shape = (16, 16)

        ridges = filter_ridges(
            picture,
            np.full(shape, angle, np.float32),
            np.full(shape, frequency, np.float32),
            np.ones(shape, np.uint8),
            pixel=pixel,
        )

        inside = slice(16, -16)
        phase = np.arctan2(ridges.odd, ridges.even)[inside, inside]
        np.testing.assert_allclose(np.cos(phase), picture[inside, inside], atol=0.15)
