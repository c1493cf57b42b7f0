from dataclasses import replace

import numpy as np
import pytest

from ml.research.ablations.activity_calibration import CALIBRATIONS, left_out_logits, rows
from ml.training.activity.fitting import Examples

N_CLASSES = 5


def examples(people: int = 4, per_class: int = 8) -> Examples:
    random = np.random.default_rng(0)
    classes = np.tile(np.repeat(np.arange(N_CLASSES), per_class), people)
    inputs = 4.0 * np.eye(N_CLASSES)[classes] + random.standard_normal((classes.size, N_CLASSES))
    whose = np.repeat(np.arange(people), N_CLASSES * per_class)
    return Examples(inputs, classes, whose, np.ones(classes.size, dtype=bool))


class TestTold:
    @pytest.mark.parametrize("calibration", CALIBRATIONS)
    def test_a_persons_activity_does_not_change_their_own_predictions(self, calibration: str) -> None:
        some = examples()
        own = some.people == 1
        confused = replace(some, classes=np.where(own, (some.classes + 1) % N_CLASSES, some.classes))

        before, after = left_out_logits(some)[calibration], left_out_logits(confused)[calibration]

        np.testing.assert_array_equal(before[own], after[own])
        assert not np.allclose(before[~own], after[~own])

    def test_only_one_calibration_has_a_contamination(self) -> None:
        found = left_out_logits(examples())

        assert found["temperature and contamination"].min() > np.log(1e-3 / N_CLASSES) - 1e-9
        assert found["temperature"].min() < found["temperature and contamination"].min()


class TestRows:
    def test_every_way_is_measured_within_and_under_a3(self) -> None:
        found = rows(examples())

        assert [row["calibration"] for row in found] == list(CALIBRATIONS)
        for row in found:
            assert 0.0 < row["a3_loss"] < np.log(N_CLASSES)
            assert 0.0 < row["loss_within"] < np.log(N_CLASSES)
