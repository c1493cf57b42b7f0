"""Galleries whose encoder was calibrated on few people: their own people replace the margin for the few."""

from functools import lru_cache

import numpy as np
import pytest

from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import IMAGES, EvidenceArray
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null
from ml.training.calibration_fit import CohortScores, fit_calibration

CALIBRATION_PEOPLE = 41
SIZE = 40


class Faces:
    """People whose photographs for enrollment share a light; probes have none in common."""

    def __init__(self, n: int, *, seed: int, light: float = 0.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._traits = self._rng.normal(size=(n, 12))
        self._light = light * np.random.default_rng(7).normal(size=12)

    def photographs(self, *, lit: bool) -> np.ndarray:
        vectors = self._traits + 0.4 * self._rng.normal(size=self._traits.shape)
        vectors += self._light if lit else 0.0
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@lru_cache
def calibrated(light: float = 0.0, *, told: bool = True) -> Calibration:
    faces = Faces(CALIBRATION_PEOPLE, seed=1, light=light)
    enrolled = faces.photographs(lit=True)
    side = EvidenceArray(np.ones(CALIBRATION_PEOPLE), IMAGES, np.full(CALIBRATION_PEOPLE, 0.8))
    others = enrolled @ enrolled.T if told else None
    cohorts = [
        CohortScores(enrolled @ faces.photographs(lit=False).T, side, side, enrolled=others) for _ in range(4)
    ]
    return fit_calibration(cohorts, replicates=60)


def ratio(
    calibration: Calibration, *, light: float = 0.0, corrected: bool = True, fmr: float = 0.01
) -> float:
    """Mean measured ÷ nominal FMR over galleries."""
    found = []
    for seed in range(20, 40):
        faces = Faces(SIZE, seed=seed, light=light)
        enrolled, others = faces.photographs(lit=True), ~np.eye(SIZE, dtype=bool)
        own_db = calibration.llr_db(enrolled @ enrolled.T, 1.0, 0.8)
        null = fit_gallery_null(calibration, own_db, np.zeros((SIZE, SIZE), dtype=int))
        null = null if corrected else GalleryNull.identity()
        probes_db = calibration.llr_db(faces.photographs(lit=False) @ enrolled.T, 1.0, 0.8)
        scores_db = calibration.soften_db(null.apply(probes_db))
        threshold_db = null.null(calibration, 0).threshold(fmr)
        found.append(float(np.mean(scores_db[others] >= threshold_db)) / fmr)
    return float(np.mean(found))


def test_the_margin_for_few_people_is_not_added_to_what_a_gallery_knows():
    bundle, own = ratio(calibrated(), corrected=False), ratio(calibrated())

    assert bundle < own
    assert 0.5 <= own <= 1.5


@pytest.mark.parametrize("light", [0.5, 1.0])
def test_references_are_compared_with_references_of_the_calibration(light):
    found = ratio(calibrated(light), light=light)

    # Compared with probes of the calibration, references of one light look like a sensor that shifts scores.
    assert found > 1.5 * ratio(calibrated(light, told=False), light=light)
    assert 0.33 <= found <= 1.5


def test_what_references_score_among_each_other_is_kept():
    again = Calibration.from_dict(calibrated(1.0).to_dict())

    assert again.enrolled_histogram(0).quantile(0.05) == calibrated(1.0).enrolled_histogram(0).quantile(0.05)
    assert again.enrolled_histogram(0).quantile(0.05) > again.llr_histogram(0).quantile(0.05)
    assert calibrated(told=False).enrolled_histogram(0) is calibrated(told=False).llr_histogram(0)


def test_a_gallery_like_the_calibration_people_shows_no_shift():
    faces = Faces(200, seed=3, light=1.0)
    enrolled = faces.photographs(lit=True)
    own_db = calibrated(1.0).llr_db(enrolled @ enrolled.T, 1.0, 0.8)

    null = fit_gallery_null(calibrated(1.0), own_db, np.zeros((200, 200), dtype=int))

    assert null.measured_over_nominal is not None
    assert 0.2 < null.measured_over_nominal < 2.0
