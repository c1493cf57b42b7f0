"""One null for each number of comparisons, from computed similarities."""

from typing import Any

import numpy as np
import pytest

from ml.runtime.calibration.llr import Calibration
from ml.training.fingerprint.calibrate import (
    COMPARISON_EDGES,
    IMPRESSIONS,
    NON_MATED_SIDES,
    ComparedPeople,
    calibrate,
)

FINGERS = 32


Calibrated = tuple[Calibration, dict[str, Any], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def calibrated() -> Calibrated:
    return calibrate(computed_people())


def computed_people() -> ComparedPeople:
    generator = np.random.default_rng(0)
    shape = (FINGERS, IMPRESSIONS, FINGERS, IMPRESSIONS)
    similarity = generator.normal(-0.3, 0.1, shape)
    own = np.arange(FINGERS)
    similarity[own, :, own, :] = generator.normal(0.6, 0.1, (FINGERS, IMPRESSIONS, IMPRESSIONS))
    similarity = np.clip(np.minimum(similarity, similarity.transpose(2, 3, 0, 1)), -1.0, 1.0)
    similarity[0, 2], similarity[:, :, 0, 2] = np.nan, np.nan
    quality = generator.uniform(0.5, 0.9, (FINGERS, IMPRESSIONS))
    quality[0, 2] = np.nan
    return ComparedPeople(
        tuple(f"finger {number:02d}" for number in range(FINGERS)),
        similarity,
        quality,
    )


class TestCalibrate:
    def test_every_class_has_a_null_of_its_largest_number(self, calibrated: Calibrated) -> None:
        calibration, about, points = calibrated

        assert calibration.comparison_edges == COMPARISON_EDGES
        assert len(calibration.nulls) == len(COMPARISON_EDGES) + 1
        assert calibration.most_comparisons == NON_MATED_SIDES[-1] ** 2
        assert about["people"] == FINGERS
        assert about["non_mated_pairs"] == FINGERS * (FINGERS - 1) // 2
        assert {point["compared"] for point in points} == {size**2 for size in NON_MATED_SIDES}

    def test_strangers_reach_more_in_more_comparisons(self, calibrated: Calibrated) -> None:
        reached = [calibrated[0].reached_by_chance_db(number, 0.1) for number in range(4)]

        assert reached == sorted(reached)
        assert reached[-1] > reached[0]

    def test_strangers_reach_the_threshold_as_often_as_stated(self, calibrated: Calibrated) -> None:
        for point in calibrated[2]:
            assert point["measured_fmr"] <= point["fmr"]

    def test_one_finger_scores_above_what_strangers_reach(self, calibrated: Calibrated) -> None:
        calibration = calibrated[0]

        assert calibration.mated_medians_db[0][1] > calibration.reached_by_chance_db(3, 0.001) + 10.0
