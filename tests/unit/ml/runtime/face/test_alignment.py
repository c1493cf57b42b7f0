"""Similarity transforms and crops."""

import numpy as np
import pytest

from ml.runtime.face.alignment import AlignmentTemplate, aligned_crop, similarity_transform

POINTS = np.array([[30.0, 40.0], [70.0, 40.0], [50.0, 60.0], [35.0, 80.0], [65.0, 80.0]])
TEMPLATE = AlignmentTemplate(100, POINTS)


def turned(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ rotation.T + shift


class TestSimilarityTransform:
    @pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.4, 2.5), (-2.9, 0.3)])
    def test_it_undoes_a_similarity_exactly(self, angle, scale):
        source = turned(POINTS, angle, scale, (7.0, -3.0))

        transform = similarity_transform(source, POINTS)

        assert source @ transform[:, :2].T + transform[:, 2] == pytest.approx(POINTS)

    def test_it_never_shears_or_mirrors(self):
        bent = POINTS * [1.0, 1.6]

        transform = similarity_transform(bent, POINTS)

        a, b = transform[0, 0], transform[1, 0]
        assert transform[:, :2] == pytest.approx(np.array([[a, -b], [b, a]]))

    def test_no_other_similarity_is_nearer(self):
        rng = np.random.default_rng(5)
        source, target = POINTS + rng.normal(0, 4, (5, 2)), POINTS
        best = similarity_transform(source, target)

        def error(transform: np.ndarray) -> float:
            return float(np.sum((source @ transform[:, :2].T + transform[:, 2] - target) ** 2))

        for change in rng.normal(0, 1e-3, (50, 4)):
            a, b, x, y = change
            other = best + np.array([[a, -b, x], [b, a, y]])
            assert error(other) >= error(best)


class TestAlignedCrop:
    def test_marks_land_on_the_template(self):
        places = turned(POINTS, 0.2, 1.5, (20.0, 10.0))
        picture = np.zeros((200, 220, 3), dtype=np.uint8)
        for x, y in places.round().astype(int):
            picture[y - 1 : y + 2, x - 1 : x + 2] = 255

        crop = aligned_crop(picture, places, TEMPLATE)

        for x, y in POINTS.round().astype(int):
            assert crop[y - 1 : y + 2, x - 1 : x + 2].max() > 150

    def test_beyond_the_picture_its_edge_goes_on(self):
        picture = np.full((60, 60, 3), 77, dtype=np.uint8)

        assert np.all(aligned_crop(picture, POINTS - 30.0, TEMPLATE) == 77)


class TestAlignmentTemplate:
    def test_points_outside_the_crop_are_refused(self):
        with pytest.raises(ValueError, match="five points within 60 pixels"):
            AlignmentTemplate(60, POINTS)
