"""The one face in a picture."""

import numpy as np
import pytest

from ml.runtime.face.drawn_face import drawn_face_file
from ml.runtime.face.errors import MultipleFacesError, NoFaceError
from ml.runtime.face.finding import find_face
from ml.runtime.face.picture import Picture, reduction_to
from tests.unit.ml.runtime.face.computed_faces import FRONTAL, KnownFaces, face_at

PICTURE = Picture(drawn_face_file(size=512))


class TestFindFace:
    def test_places_are_in_pixels_of_the_picture(self):
        """The picture's 512 pixels lie as 256 in the middle of a canvas of 320."""
        seen = (FRONTAL + 0.5) / 2.0 - 0.5 + 32.0

        face = find_face(PICTURE, KnownFaces([face_at(seen)]))

        assert face.landmarks == pytest.approx(FRONTAL)

    def test_a_second_look_is_larger(self):
        detector = KnownFaces([], [face_at()])

        find_face(PICTURE, detector)

        assert detector.canvases == [(320, 320), (640, 640)]

    def test_a_faint_face_is_found_last(self):
        detector = KnownFaces([], [], [face_at(score=0.35)])

        assert find_face(PICTURE, detector).score == pytest.approx(0.35)

    def test_without_a_face(self):
        with pytest.raises(NoFaceError):
            find_face(PICTURE, KnownFaces())

    def test_two_of_like_size_are_refused(self):
        with pytest.raises(MultipleFacesError, match="found 2"):
            find_face(PICTURE, KnownFaces([face_at(height=150), face_at(FRONTAL + 90, height=100)]))

    def test_somebody_far_behind_does_not_count(self):
        near, far = face_at(height=150, score=0.8), face_at(FRONTAL + 90, height=60, score=0.9)

        assert find_face(PICTURE, KnownFaces([far, near])).score == 0.8


class TestReductionTo:
    @pytest.mark.parametrize(("size", "wanted", "reduction"), [(1280, 256, 4), (512, 256, 2), (400, 256, 1)])
    def test_nothing_becomes_smaller_than_wanted(self, size, wanted, reduction):
        assert reduction_to(size, wanted) == reduction


class TestPicture:
    def test_a_reduced_picture_is_the_picture_averaged(self):
        whole, half = (PICTURE.reduced(r).astype(np.float64) for r in (1, 2))

        means = whole.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))

        assert np.abs(half - means).max() <= 1.0
