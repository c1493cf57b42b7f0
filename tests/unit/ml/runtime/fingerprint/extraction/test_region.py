from __future__ import annotations

import numpy as np
import pytest

from ml.runtime.fingerprint.errors import NoFingerprintError
from ml.runtime.fingerprint.extraction.region import print_region
from ml.runtime.fingerprint.extraction.resolution import at_working_resolution
from ml.runtime.fingerprint.extraction.segmentation import foreground, inner
from ml.runtime.fingerprint.extraction.surroundings import filled, flat_surroundings


@pytest.fixture
def patch(grating):
    """Ridges of 128 × 160 pixels on paper of 320 × 320."""
    paper = np.random.default_rng(0).normal(0.0, 1.0, (320, 320)).astype(np.float32)
    paper[96:224, 64:224] += 60.0 * grating(9.0, 0.6, (128, 160))
    return paper


class TestPrintRegion:
    def test_the_print_is_cut_out(self, patch):
        region = print_region(patch)

        assert region.rows.start * 8 <= 96
        assert region.rows.stop * 8 >= 224
        assert region.columns.start * 8 <= 64
        assert region.columns.stop * 8 >= 224
        assert region.mask.size < 1600
        assert region.contrast.shape == (region.mask.shape[0] * 8, region.mask.shape[1] * 8)

    def test_what_surrounds_the_print_is_masked(self, patch):
        region = print_region(patch)

        outside = np.kron(region.mask, np.ones((8, 8))) == 0
        assert outside.any()
        assert (region.contrast[outside] == 0.0).all()

    def test_maps_go_back_to_where_they_were(self, patch):
        region = print_region(patch)

        whole = region.in_picture(region.mask)

        assert whole.shape == (40, 40)
        assert whole.sum() == region.mask.sum()
        assert whole[20, 18] == 1
        np.testing.assert_array_equal(region.corner_xy, [region.columns.start * 8, region.rows.start * 8])

    def test_an_empty_picture_has_no_region(self):
        with pytest.raises(NoFingerprintError):
            print_region(np.full((96, 96), 100.0, np.float32))


class TestForeground:
    def test_it_is_where_the_ridges_are(self, patch):
        mask = foreground(patch) > 0

        truth = np.zeros((40, 40), bool)
        truth[12:28, 8:28] = True
        assert (mask & truth).sum() / (mask | truth).sum() > 0.7

    def test_a_hole_is_filled(self, patch):
        patch[150:160, 130:140] = 0.0

        assert foreground(patch)[18:20, 16:18].all()

    def test_the_inner_part_keeps_off_the_edge_of_the_picture(self):
        mask = inner(np.ones((6, 5), np.uint8))

        assert mask.sum() == 4 * 3
        assert mask[1:-1, 1:-1].all()


class TestSurroundings:
    def test_painted_areas_are_found_with_a_margin(self, patch):
        patch[:, 240:] = 100.0

        flat = flat_surroundings(patch)

        assert flat[:, 245:].all()
        assert not flat[:, :220].any()

    def test_a_small_flat_spot_is_none(self, patch):
        patch[100:115, 100:115] = 60.0

        assert not flat_surroundings(patch).any()

    def test_filling_leaves_no_edge(self, patch):
        patch[:, 240:] = 100.0

        complete = filled(patch, flat_surroundings(patch))

        assert np.abs(complete[:, 230:]).max() < 30.0
        np.testing.assert_array_equal(complete[:, :220], patch[:, :220])


class TestAtWorkingResolution:
    @pytest.mark.parametrize(("dpi", "expected"), [(500, (304, 208)), (1000, (160, 112)), (250, (608, 400))])
    def test_sides_are_scaled_and_completed_to_whole_steps(self, dpi, expected):
        assert at_working_resolution(np.zeros((300, 200), np.uint8), dpi).shape == expected

    @pytest.mark.parametrize("dpi", [400, 500, 600])
    def test_an_inverted_picture_is_exactly_the_negative(self, dpi):
        picture = np.random.default_rng(0).integers(0, 256, (61, 83)).astype(np.uint8)

        upright, inverted = (at_working_resolution(p, dpi) for p in (picture, 255 - picture))

        np.testing.assert_array_equal(inverted, -upright)
