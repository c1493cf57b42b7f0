import numpy as np

from ml.models.beat_views import apply_views, beat_views
from tests.bundles import VIEWS, beat_shapes


class TestBeatViews:
    def test_parts_cover_the_beat_without_gap_or_overlap(self):
        views = beat_views(88, 31, 125.0)

        shape_parts = [(v.start, v.stop) for v in views[3:] if v.order == 0]

        assert shape_parts == [(0, 22), (22, 44), (44, 88)]


class TestApplyViews:
    def test_is_odd_to_the_bit(self):
        shapes, _ = beat_shapes()

        np.testing.assert_array_equal(apply_views(-shapes, VIEWS), -apply_views(shapes, VIEWS))

    def test_whole_views_are_shape_slope_and_curvature_standardized(self):
        shape = beat_shapes()[0][:1]
        seen = apply_views(shape, VIEWS)[0]

        expected = shape[0]
        start = 0
        for _ in range(3):
            expected = (expected - expected.mean()) / expected.std()
            np.testing.assert_allclose(seen[start : start + expected.size], expected, atol=1e-9)
            start += expected.size
            expected = np.diff(expected)

    def test_a_part_ignores_its_size_where_it_is_large(self):
        shapes, _ = beat_shapes()
        larger = shapes[:1].copy()
        larger[:, 44:] *= 1.0 + 1e-9

        np.testing.assert_allclose(apply_views(larger, VIEWS), apply_views(shapes[:1], VIEWS), atol=1e-6)

    def test_a_flat_part_stays_flat_instead_of_becoming_noise(self):
        shape = np.zeros((1, 88))
        shape[0, 30] = 1.0
        shape[0, :22] = 1e-6 * np.random.default_rng(0).standard_normal(22)
        first_part = slice(88 + 87 + 86, 88 + 87 + 86 + 22)

        assert np.abs(apply_views(shape, VIEWS)[0, first_part]).max() < 1e-4
