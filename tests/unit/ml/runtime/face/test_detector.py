"""YuNet's rows as faces."""

import numpy as np
import pytest

from ml.runtime.face.detector import STRIDES, decode

SIDE = 64


def rows_of(*found: tuple[int, int, int, float, float, tuple[float, ...]]) -> np.ndarray:
    """Rows in which the given cells hold a face: (stride, row, column, class, objectness, box)."""
    sizes = [(SIDE // stride) ** 2 for stride in STRIDES]
    rows = np.zeros((sum(sizes), 16))
    for stride, row, column, cls, obj, box in found:
        k = STRIDES.index(stride)
        at = sum(sizes[:k]) + row * (SIDE // stride) + column
        rows[at, :2] = cls, obj
        rows[at, 2:6] = box
        rows[at, 6:] = np.arange(10) / 10.0
    return rows


class TestDecode:
    def test_a_cell_becomes_a_face_in_pixels(self):
        (face,) = decode(
            rows_of((16, 1, 2, 0.81, 1.0, (0.5, 0.25, np.log(2.0), np.log(3.0)))), SIDE, SIDE, 0.5
        )

        assert face.score == pytest.approx(0.9)
        assert face.box == pytest.approx([2.5 * 16 - 16, 1.25 * 16 - 24, 32, 48])
        assert face.landmarks[0] == pytest.approx([2.0 * 16, 1.1 * 16])
        assert face.landmarks[4] == pytest.approx([2.8 * 16, 1.9 * 16])

    def test_scores_are_geometric_means_of_clipped_parts(self):
        assert decode(rows_of((8, 0, 0, 4.0, 0.25, (0, 0, 0, 0))), SIDE, SIDE, 0.5)[0].score == pytest.approx(
            0.5
        )

    def test_below_the_threshold_there_is_nothing(self):
        assert decode(rows_of((8, 0, 0, 0.49, 0.49, (0, 0, 0, 0))), SIDE, SIDE, 0.5) == []

    def test_of_two_that_overlap_the_more_certain_one_remains(self):
        box = (0.5, 0.5, np.log(2.0), np.log(2.0))
        weak, strong = (16, 1, 1, 0.7, 0.7, box), (16, 1, 1, 0.9, 0.9, box)
        shifted = (8, 2, 3, 0.7, 0.7, (0.0, 1.0, np.log(4.0), np.log(4.0)))

        assert [f.score for f in decode(rows_of(weak, strong, shifted), SIDE, SIDE, 0.5)] == [
            pytest.approx(0.9)
        ]

    def test_the_most_certain_comes_first(self):
        small = (0.5, 0.5, 0.0, 0.0)
        faces = decode(rows_of((8, 0, 0, 0.6, 0.6, small), (8, 5, 5, 0.8, 0.8, small)), SIDE, SIDE, 0.5)

        assert [face.score for face in faces] == [pytest.approx(0.8), pytest.approx(0.6)]
