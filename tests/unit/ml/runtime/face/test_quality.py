"""How good a face is: worse pictures of one face score lower."""

import cv2
import numpy as np
import pytest

from ml.runtime.face.detected_face import DetectedFace
from ml.runtime.face.drawn_face import drawn_face
from ml.runtime.face.picture import Picture
from ml.runtime.face.quality import face_quality, quality_parts
from tests.unit.ml.runtime.face.computed_faces import FRONTAL, face_at
from tests.unit.ml.runtime.face.test_pose import with_nose


def picture_of(pixels: np.ndarray) -> Picture:
    return Picture(cv2.imencode(".png", pixels)[1].tobytes())


def quality_of(picture: Picture, face: DetectedFace) -> float:
    return face_quality(quality_parts(picture, face))


GOOD = drawn_face()
BEST = quality_of(picture_of(GOOD), face_at())


class TestFaceQuality:
    def test_it_lies_between_0_and_1(self):
        black = np.zeros((240, 240, 3), dtype=np.uint8)

        assert 0.5 < BEST <= 1.0
        assert 0.0 <= quality_of(picture_of(black), face_at(score=0.3)) < 0.3

    def test_a_blurred_face_is_worse(self):
        assert quality_of(picture_of(cv2.GaussianBlur(GOOD, (0, 0), 6.0)), face_at()) < BEST - 0.05

    def test_an_overexposed_face_is_worse(self):
        bright = np.clip(GOOD.astype(np.int64) * 4, 0, 255).astype(np.uint8)

        assert quality_of(picture_of(bright), face_at()) < BEST - 0.02

    def test_what_the_detector_doubts_is_worse(self):
        assert quality_of(picture_of(GOOD), face_at(score=0.6)) < BEST - 0.3

    def test_a_face_cut_off_by_the_edge_is_worse(self):
        left, top = 85, 80
        tight = picture_of(GOOD[top : top + 100, left : left + 70])

        assert quality_of(tight, face_at(FRONTAL - [left, top])) < BEST - 0.1

    def test_a_smaller_face_is_worse(self):
        small = cv2.resize(GOOD, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)

        assert quality_of(picture_of(small), face_at((FRONTAL + 0.5) * 0.3 - 0.5)) < BEST - 0.02

    def test_turning_the_picture_changes_little(self):
        turned = np.ascontiguousarray(np.rot90(GOOD))
        places = np.stack([FRONTAL[:, 1], 239.0 - FRONTAL[:, 0]], axis=1)

        assert quality_of(picture_of(turned), face_at(places)) == pytest.approx(BEST, abs=0.02)


class TestQualityParts:
    def test_each_lies_between_0_and_1(self):
        for score in (0.3, 0.6, 0.99):
            parts = quality_parts(picture_of(GOOD), face_at(score=score))

            assert all(0.0 <= value <= 1.0 for value in parts.values()), parts

    def test_a_turned_head_shows_and_is_counted_by_the_detectors_doubt(self):
        turned = quality_parts(picture_of(GOOD), face_at(with_nose(0.9)))

        assert turned["frontal"] == pytest.approx(0.25)
