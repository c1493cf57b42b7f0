"""Which way a head looks."""

import numpy as np
import pytest

from ml.runtime.face.errors import FaceTurnedAwayError
from ml.runtime.face.pose import HeadPose
from tests.unit.ml.runtime.face.computed_faces import FRONTAL


def with_nose(aside: float = 0.0, height: float = 0.5) -> np.ndarray:
    """Frontal landmarks with the nose elsewhere: in half eye distances, and between eyes and mouth."""
    moved = FRONTAL.copy()
    moved[2] = [119.0 + 24.0 * aside, 102.0 + 58.0 * height]
    return moved


class TestHeadPose:
    def test_ahead_is_zero(self):
        assert HeadPose.of(with_nose()).aside == pytest.approx(0.0)

    @pytest.mark.parametrize("aside", [-1.5, 0.4, 1.0])
    def test_it_is_measured_in_half_eye_distances(self, aside):
        assert HeadPose.of(with_nose(aside)).aside == pytest.approx(aside)

    def test_a_tilted_head_looks_the_same_way(self):
        turn = np.array([[0.8, -0.6], [0.6, 0.8]])

        assert HeadPose.of(with_nose(0.7, 0.6) @ turn.T).aside == pytest.approx(0.7)
        assert HeadPose.of(with_nose(0.7, 0.6) @ turn.T).nose_height == pytest.approx(0.6)

    def test_frontal_faces_pass(self):
        HeadPose.of(FRONTAL).require_frontal()

    @pytest.mark.parametrize("landmarks", [with_nose(1.3), with_nose(-1.3), with_nose(height=0.3)])
    def test_profiles_and_raised_heads_are_refused(self, landmarks):
        with pytest.raises(FaceTurnedAwayError):
            HeadPose.of(landmarks).require_frontal()

    @pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), FRONTAL[[1, 0, 2, 3, 4]]])
    def test_points_that_make_no_face_are_refused(self, landmarks):
        with pytest.raises(FaceTurnedAwayError):
            HeadPose.of(landmarks).require_frontal()
