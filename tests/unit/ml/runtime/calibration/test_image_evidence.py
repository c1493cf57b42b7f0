"""Evidence that is not counted in seconds: one class, and an amount that is not looked at."""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from ml.runtime.calibration.llr import Calibration, LlrScores
from ml.runtime.evidence import IMAGES, SECONDS, Evidence, EvidenceArray
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import fit_gallery_null
from ml.training.calibration_fit import CohortScores, fit_calibration

PEOPLE, SIZE = 120, 12


def images(seed: int) -> tuple[np.ndarray, EvidenceArray]:
    """Unit vectors of the same people, one image each, some with an amount of 0."""
    personal = np.random.default_rng(0).standard_normal((PEOPLE, SIZE))
    generator = np.random.default_rng(seed)
    vectors = personal + 0.5 * generator.standard_normal((PEOPLE, SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    amount = generator.integers(0, 2, PEOPLE).astype(np.float64)
    return vectors, EvidenceArray(amount, IMAGES, generator.uniform(0.4, 1.0, PEOPLE))


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    (references, of_references), (probes, of_probes) = images(1), images(2)
    cohort = CohortScores(references @ probes.T, of_references, of_probes)
    return fit_calibration([cohort], replicates=10)


def image(amount: float = 1.0, quality: float = 0.8) -> Evidence:
    return Evidence(amount, IMAGES, quality)


class TestCompare:
    @pytest.mark.parametrize("amount", [0.0, 1.0])
    def test_the_score_of_an_image_is_finite(self, amount):
        scores = calibration().compare([-1.0, 0.3, 1.0], image(amount), image(amount))

        assert np.isfinite(scores.llr_db).all()
        assert np.all(np.diff(scores.llr_db) > 0.0)

    def test_it_does_not_depend_on_the_amount(self):
        one, other = (calibration().compare(0.5, image(amount), image(3.0)) for amount in (0.0, 40.0))

        assert one.llr_db == pytest.approx(other.llr_db, abs=1e-12)

    def test_it_depends_on_the_quality(self):
        good, bad = (calibration().compare(0.5, image(quality=q), image(quality=q)) for q in (0.9, 0.4))

        assert good.llr_db != bad.llr_db

    def test_there_is_one_class(self):
        probes = EvidenceArray(np.array([0.0, 1.0, 50.0]), IMAGES, np.full(3, 0.8))

        assert calibration().compare(np.full(3, 0.5), probes, image(50.0)).classes.tolist() == [0, 0, 0]
        assert calibration().strongest_class == 0

    def test_seconds_are_refused(self):
        strip = Evidence(10.0, SECONDS, 0.8)

        with pytest.raises(ValueError, match="calibrated for evidence in images"):
            calibration().compare(0.5, strip, strip)

    def test_a_cosine_that_is_not_a_number_is_refused(self):
        with pytest.raises(ValueError, match="finite"):
            calibration().compare([0.5, np.nan], image(), image())

    def test_nor_can_such_a_score_be_made(self):
        with pytest.raises(ValueError, match="finite"):
            LlrScores(np.array([3.0, np.inf]), np.zeros(2, dtype=np.int64))

    def test_expectations_are_finite(self):
        assert 0.0 < calibration().expected_agreement([0.0, 1.0, 1.0]) <= 1.0
        assert calibration().expected_gain_db(1.0, [2.0, 3.0]).tolist() == [0.0, 0.0]


class TestGallery:
    def test_learns_its_own_null(self):
        (references, of_references), (templates, of_templates) = images(3), images(4)
        scores = calibration().compare(references @ templates.T, of_references[:, None], of_templates)

        found = fit_gallery_null(calibration(), scores.llr_db, scores.classes)

        assert found.corrected
        threshold_db = FittedNull(calibration(), found).null(0).threshold(0.01)
        others = ~np.eye(PEOPLE, dtype=bool)
        score_db = calibration().soften_db(found.apply(scores.llr_db))[others]
        assert 0.3 < np.mean(score_db >= threshold_db) / 0.01 < 1.5


class TestBundle:
    def test_the_unit_is_kept(self):
        again = Calibration.from_dict(json.loads(json.dumps(calibration().to_dict())))

        assert again.unit == IMAGES
        assert again.compare(0.5, image(0.0), image()).llr_db == pytest.approx(
            calibration().compare(0.5, image(0.0), image()).llr_db
        )

    def test_a_bundle_that_names_none_counts_seconds(self):
        data = calibration().to_dict()
        del data["unit"]

        assert Calibration.from_dict(data).unit == SECONDS
        assert "unit" not in Calibration.from_dict(data).to_dict()

    def test_a_map_that_heeds_the_number_of_images_is_refused(self):
        heeding = replace(calibration().llr_map, scale=np.array([0.1, 0.0]))

        with pytest.raises(ValueError, match="does not depend on its amount"):
            replace(calibration(), llr_map=heeding)

    def test_so_are_classes_of_images(self):
        with pytest.raises(ValueError, match="one class"):
            replace(calibration(), nulls=calibration().nulls * 4)

    def test_a_map_of_no_seconds_at_all_is_refused(self):
        data = calibration().to_dict()
        data["llr_map"]["seconds_range"] = [0.0, 15.0]

        with pytest.raises(ValueError, match="range of seconds"):
            Calibration.from_dict(data)
