"""Cohorts of calibration people, from pictures that are known."""

import numpy as np
import pytest

from ml.runtime.evidence import IMAGES, Evidence
from ml.training.face.calibrating import calibrate
from ml.training.face.cohorts import EncodedPicture, cohorts_of


def pictures(people: int, numbers: int, *, seed: int, refused: tuple[int, int] | None = None):
    """Vectors of computed people: a direction of their own, and noise."""
    rng = np.random.default_rng(seed)
    found = {}
    for person in range(people):
        own = rng.normal(size=32)
        for number in range(1, numbers + 1):
            vector = own + 0.5 * rng.normal(size=32)
            code = "no_face" if (person, number) == refused else ""
            unit = np.full(32, np.nan) if code else vector / np.linalg.norm(vector)
            evidence = Evidence(1.0, IMAGES, 0.0 if code else 0.8 + 0.1 * rng.random())
            found[f"p{person:02d}", number] = EncodedPicture(unit.astype(np.float32), evidence, code)
    return found


@pytest.fixture(scope="module")
def both():
    return {"AR": pictures(20, 14, seed=1, refused=(3, 9)), "ORL": pictures(12, 10, seed=2)}


class TestCohortsOf:
    def test_sessions_meet_in_ar_and_people_of_two_sets_never_do(self, both):
        cohorts = cohorts_of(both)

        assert len(cohorts) == 14 + 18
        assert [len(c.cosine) for c in cohorts] == [20] * 14 + [12] * 18
        assert {str(c.subjects[0]).split("/")[0] for c in cohorts} == {"AR", "ORL"}

    def test_cosines_are_those_of_picture_and_picture(self, both):
        first = cohorts_of(both)[0]  # AR 1 against 8.

        expected = both["AR"]["p02", 1].vector @ both["AR"]["p05", 8].vector

        assert first.cosine[2, 5] == pytest.approx(expected)

    def test_a_refused_picture_is_missing_and_not_zero(self, both):
        second = cohorts_of(both)[1]  # AR 1 against 9.

        assert np.isnan(second.cosine[:, 3]).all()


class TestCalibrate:
    def test_counts_are_of_people_and_pairs(self, both):
        calibration, about, points = calibrate(both)

        assert about["people"] == 32
        assert about["non_mated_pairs"] == calibration.non_mated_pairs == 20 * 19 // 2 + 12 * 11 // 2
        assert about["failures_to_acquire"] == 1
        assert about["set"] == "20 of AR and 12 of ORL"
        assert [point["fmr"] for point in points] == [0.01, 0.001, 0.01, 0.001]

    def test_failures_are_non_matches(self, both):
        _, _, points = calibrate(both)

        assert points[0]["failures_to_acquire"] == 1
        assert points[0]["mated"] == 20 * 14
        assert points[0]["non_matches"] >= 1
