from __future__ import annotations

import numpy as np

from ml.runtime.fingerprint.extraction.minutiae import best, good, without_opposite_pairs
from ml.runtime.fingerprint.minutiae import Minutiae


def minutiae(*rows):
    x, y, direction, quality = np.array(rows, np.float32).T
    return Minutiae(np.stack([x, y], axis=1), direction, quality)


class TestWithoutOppositePairs:
    def test_close_opposite_minutiae_cancel(self):
        left = without_opposite_pairs(minutiae((10, 10, 0.0, 1), (13, 10, np.pi, 1), (40, 40, 1.0, 1)))

        np.testing.assert_array_equal(left.xy, [[40, 40]])

    def test_close_minutiae_of_one_direction_stay(self):
        assert len(without_opposite_pairs(minutiae((10, 10, 0.0, 1), (13, 10, 0.3, 1)))) == 2

    def test_distant_opposite_minutiae_stay(self):
        assert len(without_opposite_pairs(minutiae((10, 10, 0.0, 1), (19, 10, np.pi, 1)))) == 2

    def test_of_three_in_a_row_the_closest_two_cancel(self):
        left = without_opposite_pairs(minutiae((10, 10, 0.0, 1), (15, 10, np.pi, 1), (18, 10, 0.0, 1)))

        np.testing.assert_array_equal(left.xy, [[10, 10]])


class TestSelection:
    def test_poor_minutiae_are_dropped(self):
        assert good(minutiae((1, 1, 0, 0.1), (2, 2, 0, 0.9))).quality.tolist() == [np.float32(0.9)]

    def test_the_best_hundred_are_kept_in_order(self):
        quality = np.random.default_rng(0).permutation(150) / 150.0

        kept = best(minutiae(*[(k, k, 0.0, q) for k, q in enumerate(quality)])).quality

        np.testing.assert_allclose(kept, np.sort(quality)[::-1][:100], rtol=1e-6)
