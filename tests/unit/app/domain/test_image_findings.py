import numpy as np
import pytest

from app.domain.captures import DrawableEcg, FaceFacts, FingerprintFacts
from app.domain.image_findings import eye_distance_px, findings_of, nose_aside, print_area_mm2, ridge_clarity
from tests.image_facts import LANDMARKS, face_facts, fingerprint_facts


def codes(facts):
    return [finding.code for finding in findings_of(facts)]


class TestProtocols:
    def test_tell_the_modalities_apart(self):
        finger, face = fingerprint_facts(), face_facts()

        assert isinstance(finger, FingerprintFacts)
        assert isinstance(face, FaceFacts)
        assert not isinstance(finger, FaceFacts | DrawableEcg)
        assert not isinstance(face, FingerprintFacts | DrawableEcg)


class TestFingerprint:
    def test_a_good_print_has_no_findings(self):
        assert codes(fingerprint_facts()) == []

    def test_the_area_is_that_of_the_cells_with_ridges(self):
        facts = fingerprint_facts(mask=np.ones((25, 10), dtype=bool), cell_px=20.0)

        assert print_area_mm2(facts) == pytest.approx(250 * 1.016**2)

    def test_clarity_is_that_of_the_cells_with_ridges(self):
        mask = np.array([[True, False]])

        assert ridge_clarity(fingerprint_facts(mask=mask, quality_map=np.array([[0.3, 0.9]]))) == 0.3
        assert ridge_clarity(fingerprint_facts(mask=~mask & mask, quality_map=np.ones((1, 2)))) == 0.0

    @pytest.mark.parametrize(
        ("changes", "code", "words"),
        [
            ({"cell_px": 4.0}, "partial_print", "mm² of the finger"),
            ({"n_minutiae": 11}, "few_minutiae", "11 ridge endings"),
            ({"clarity": 0.2}, "unclear_ridges", "20 %"),
            ({"ridge_period_px": 15.0}, "unusual_ridge_period", "0.76 mm"),
            ({"ridge_period_px": 5.0}, "unusual_ridge_period", "0.25 mm"),
        ],
    )
    def test_each_fault_is_found_with_its_figure(self, changes, code, words):
        (finding,) = findings_of(fingerprint_facts(**changes))

        assert finding.code == code
        assert words in finding.sentence

    def test_no_ridge_period_is_no_finding(self):
        assert codes(fingerprint_facts(ridge_period_px=None)) == []


class TestFace:
    def test_a_good_face_has_no_findings(self):
        assert codes(face_facts()) == []

    def test_the_distance_between_the_eyes_is_measured_along_their_line(self):
        landmarks = np.array([[10, 10], [40, 50], [0, 0], [0, 0], [0, 0]], dtype=np.float32)

        assert eye_distance_px(face_facts(landmarks=landmarks)) == pytest.approx(50.0)

    def test_eyes_close_together_are_found_once(self):
        facts = face_facts(scale=0.3, quality_parts={"size": 0.2})

        assert codes(facts) == ["small_face"]

    def test_low_parts_are_found_the_lowest_first(self):
        facts = face_facts(quality_parts={"sharpness": 0.4, "frontal": 0.1, "light": 0.5})

        assert codes(facts) == ["turned_face", "blurred"]

    def test_a_turned_face_is_found_by_its_nose(self):
        turned, level = LANDMARKS.copy(), LANDMARKS.copy()
        turned[2] = LANDMARKS[:2].mean(axis=0) + np.array([0.35 * 85.0, 50.0])
        level[2] = LANDMARKS[:2].mean(axis=0) + np.array([0.2 * 85.0, 50.0])

        assert nose_aside(face_facts(landmarks=turned)) == pytest.approx(0.7, abs=0.1)
        assert codes(face_facts(landmarks=turned)) == ["turned_face"]
        assert codes(face_facts(landmarks=level)) == []

    def test_eyes_in_one_place_are_close_together_and_not_turned(self):
        assert codes(face_facts(landmarks=np.zeros((5, 2), dtype=np.float32))) == ["small_face"]

    def test_a_part_that_has_no_words_is_named(self):
        (finding,) = findings_of(face_facts(quality_parts={"eye_level": 0.2}))

        assert (finding.code, finding.sentence) == ("low_eye_level", "Eye level is low.")


class TestOthers:
    @pytest.mark.parametrize("facts", [None, object()])
    def test_have_no_findings(self, facts):
        assert findings_of(facts) == ()
