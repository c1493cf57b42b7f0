"""Evidence classes that count comparisons, as those of fingerprints do."""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import IMAGES, Evidence, EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions
from ml.runtime.matching.demand import Demand
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null
from ml.runtime.matching.scoreboard import Scoreboard
from ml.runtime.matching.scored_part import ScoredPart
from tests.fakes import fake_image_calibration

IMAGE = Evidence(1.0, IMAGES, 0.9)


@lru_cache(maxsize=1)
def counted() -> Calibration:
    """Four classes, each with a null a decibel higher than the one before."""
    plain = fake_image_calibration()
    nulls = tuple(replace(plain.nulls[0], first_bin=plain.nulls[0].first_bin + 4 * k) for k in range(4))
    return replace(
        plain,
        nulls=nulls,
        llr_histograms=plain.llr_histograms * 4,
        mated_quantiles_db=plain.mated_quantiles_db * 4,
        comparison_edges=(2, 5, 17),
        most_comparisons=40,
    )


def scored(cosines: list[float], compared: list[int]) -> ScoredPart:
    best = BestOfPositions(IMAGES)
    n = len(cosines)
    sides = EvidenceArray(np.ones(n), IMAGES, np.full(n, 0.9))
    best.offer(np.arange(n), np.array(cosines), IMAGE, sides, compared=np.array(compared))
    return ScoredPart.of(best.found(), FittedNull(counted(), GalleryNull.identity()))


class TestClasses:
    def test_they_are_those_of_the_numbers(self):
        compared = [1, 2, 4, 5, 16, 17, 320]

        assert counted().compare(np.full(7, 0.5), IMAGE, IMAGE, compared).classes.tolist() == [
            *(0, 1, 1, 2, 2, 3, 3)
        ]

    def test_a_single_comparison_is_the_default(self):
        assert counted().compare(0.5, IMAGE, IMAGE).classes.tolist() == 0
        assert counted().evidence_classes(EvidenceArray(np.ones(3), IMAGES, np.ones(3))).tolist() == [0, 0, 0]

    def test_a_number_broadcasts_with_the_evidence(self):
        several = EvidenceArray(np.ones(3), IMAGES, np.ones(3))

        assert counted().evidence_classes(several, 7).tolist() == [2, 2, 2]

    def test_without_edges_numbers_make_no_class(self):
        assert fake_image_calibration().compare(0.5, IMAGE, IMAGE, 100).classes.tolist() == 0


class TestShared:
    def test_the_rate_is_shared_beyond_the_largest_number_calibrated(self):
        assert counted().shared([1, 17, 40, 41, 80, 320]).tolist() == [1, 1, 1, 2, 2, 8]

    def test_without_edges_every_comparison_gets_a_share(self):
        assert fake_image_calibration().shared([1, 3, 40]).tolist() == [1, 3, 40]


class TestScoreboard:
    def test_thresholds_follow_class_and_share(self):
        board = Scoreboard([scored([0.5, 0.5, 0.5], [1, 20, 320])])
        demand = Demand(fmr=0.1)

        thresholds_db = board.decide(demand).thresholds_db

        nulls = counted().nulls
        assert thresholds_db[0] == nulls[0].threshold(0.1)
        assert thresholds_db[1] == nulls[3].threshold(0.1)
        assert thresholds_db[2] == nulls[3].threshold(0.1 / 8)

    def test_numbers_of_several_positions_add_up(self):
        best = BestOfPositions(IMAGES)
        sides = EvidenceArray(np.ones(2), IMAGES, np.full(2, 0.9))
        best.offer(np.array([3, 8]), np.array([0.2, 0.9]), IMAGE, sides, compared=np.array([2, 7]))
        best.offer(np.array([3, 8]), np.array([0.4, 0.1]), IMAGE, sides, compared=np.array([10, 1]))

        found = best.found()

        assert found.cosine.tolist() == [0.4, 0.9]
        assert found.compared.tolist() == [12, 8]

    def test_raw_distances_are_those_of_the_nearest_vectors(self):
        best = BestOfPositions(IMAGES)
        sides = EvidenceArray(np.ones(2), IMAGES, np.full(2, 0.9))
        best.offer(np.array([3, 8]), np.array([0.2, 0.9]), IMAGE, sides, beside=np.array([0.7, 0.1]))
        best.offer(np.array([3]), np.array([0.4]), IMAGE, sides[:1], beside=np.array([0.5]))

        found = best.found()

        assert found.cosine.tolist() == [0.4, 0.9]
        assert found.raw_cosine.tolist() == [0.7, 0.1]
        assert found.only(np.array([1])).raw_cosine.tolist() == [0.1]

    def test_where_vectors_are_compared_there_is_nothing_beside_them(self):
        best = BestOfPositions(IMAGES)
        best.offer(np.array([3]), np.array([0.2]), IMAGE, EvidenceArray(np.ones(1), IMAGES, np.ones(1)))

        assert best.found().raw_cosine.tolist() == [0.2]


class TestGallery:
    def test_its_own_null_follows_every_class(self):
        generator = np.random.default_rng(5)
        people = 60
        llr_db = generator.normal(-25.0, 6.0, (people, people))
        classes = np.broadcast_to(generator.integers(0, 4, people), (people, people))

        found = fit_gallery_null(counted(), llr_db, classes)

        assert found.corrected
        assert len(found.own_pairs) == 4
        thresholds_db = [FittedNull(counted(), found).null(k).threshold(0.01) for k in range(4)]
        assert np.isfinite(thresholds_db).all()

    def test_more_classes_than_lengths_are_possible(self):
        plain = fake_image_calibration()
        six = replace(
            plain,
            nulls=plain.nulls * 6,
            llr_histograms=plain.llr_histograms * 6,
            mated_quantiles_db=plain.mated_quantiles_db * 6,
            comparison_edges=(2, 3, 5, 9, 17),
            most_comparisons=32,
        )
        llr_db = np.random.default_rng(6).normal(-25.0, 6.0, (60, 60))

        found = fit_gallery_null(six, llr_db, np.full((60, 60), 5))

        assert found.corrected
        assert FittedNull(six, found).null(5).pairs == plain.nulls[0].pairs


class TestBundle:
    def test_edges_are_kept(self):
        again = Calibration.from_dict(json.loads(json.dumps(counted().to_dict())))

        assert again.comparison_edges == (2, 5, 17)
        assert again.most_comparisons == 40
        assert again.class_count == 4

    def test_without_them_nothing_is_written(self):
        written = fake_image_calibration().to_dict()

        assert not {"comparison_edges", "most_comparisons"} & written.keys()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"comparison_edges": (2, 5)}, "3 classes of comparisons have as many nulls, not 4"),
            ({"comparison_edges": (1, 5, 17)}, "begin at 2 or more"),
            ({"comparison_edges": (2, 17, 5)}, "ascending"),
            ({"most_comparisons": 16}, "begins at 17 comparisons and holds for 16"),
            ({"unit": "seconds"}, "by its length"),
            ({"comparison_edges": ()}, "no largest number"),
            ({"comparison_edges": (), "most_comparisons": 0}, "one class"),
        ],
    )
    def test_classes_that_contradict_themselves_are_refused(self, changes, message):
        with pytest.raises(ValueError, match=message):
            replace(counted(), **changes)

    def test_so_are_missing_nulls(self):
        data = counted().to_dict()
        for name in ("nulls", "llr_histograms", "mated_quantiles_db"):
            data[name] = data[name][:3]

        with pytest.raises(ValueError, match="not 3"):
            Calibration.from_dict(data)
