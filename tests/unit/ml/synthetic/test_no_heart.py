"""Members of every species are finite signals of their seed, and far-off hearts are too."""

import numpy as np
import pytest

from ml.synthetic.no_heart.species import FS_HZ, SPECIES, draw
from ml.synthetic.unusual_hearts import draw_unusual_heart


@pytest.mark.parametrize("species", SPECIES)
class TestDraw:
    @pytest.mark.parametrize("fs_hz", FS_HZ)
    def test_gives_finite_samples_of_the_length(self, species, fs_hz):
        for seed in range(10):
            signal = draw(species, seed, 3.0, fs_hz)

            assert (signal.shape, signal.dtype) == ((round(3.0 * fs_hz),), np.float32)
            assert np.isfinite(signal).all()

    def test_equal_seeds_give_equal_members(self, species):
        np.testing.assert_array_equal(draw(species, 5, 4.0, 250.0), draw(species, 5, 4.0, 250.0))

    def test_other_seeds_give_other_members(self, species):
        assert not np.array_equal(draw(species, 5, 4.0, 250.0), draw(species, 6, 4.0, 250.0))


class TestUnusualHearts:
    def test_are_finite_and_of_a_hearts_size(self):
        for seed in range(20):
            ecg = draw_unusual_heart(seed, 10.0, 250.0)

            assert ecg.shape == (2500,)
            assert np.isfinite(ecg).all()
            assert np.ptp(ecg) > 0.2

    def test_equal_seeds_give_equal_hearts(self):
        np.testing.assert_array_equal(draw_unusual_heart(5, 4.0, 250.0), draw_unusual_heart(5, 4.0, 250.0))
