from __future__ import annotations

import numpy as np
import pytest

from ml.runtime.fingerprint.extraction.quality import overall_quality, ridge_quality


class TestRidgeQuality:
    def test_it_rises_with_strength_and_coherence_within_0_and_1(self):
        quality = ridge_quality(np.float32([0.0, 0.15, 0.6, 0.6]), np.float32([1.0, 1.0, 1.0, 0.5]))

        np.testing.assert_allclose(quality, [0.0, 0.5, 0.8, 0.4], rtol=1e-6)


class TestOverallQuality:
    @pytest.mark.parametrize(("legibility", "expected"), [(0.2, 0.0), (0.6, 0.25), (0.8, 0.5), (1.0, 0.5)])
    def test_legible_ridges_make_it(self, legibility, expected):
        mask = np.ones((10, 20), np.uint8)

        quality = overall_quality(np.full(mask.shape, legibility, np.float32), mask)

        assert quality == pytest.approx(expected, abs=1e-6)

    def test_area_makes_it_as_well(self):
        small, large = np.zeros((40, 40), np.uint8), np.ones((40, 40), np.uint8)
        small[:10, :10] = 1

        assert overall_quality(0.7 * small, small) < 0.4 * overall_quality(0.7 * large, large)
