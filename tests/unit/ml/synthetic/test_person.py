from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.ecg import SyntheticPerson
from ml.synthetic.fingerprint import PatternClass
from ml.synthetic.person import FINGERS, ComputedPerson


class TestComputedPerson:
    def test_equal_seeds_give_equal_people(self):
        first, again = ComputedPerson(4), ComputedPerson(4)

        assert first.heart == again.heart == SyntheticPerson.draw(4)
        assert [first.finger(name) for name in FINGERS] == [again.finger(name) for name in FINGERS]

    def test_no_finger_occurs_twice(self):
        fingers = [ComputedPerson(seed).finger(name) for seed in range(20) for name in FINGERS]

        assert len({finger.seed for finger in fingers}) == len({finger.points for finger in fingers}) == 200

    def test_fingers_of_a_person_have_a_ridge_period_in_common(self):
        periods = np.array(
            [[ComputedPerson(seed).finger(name).period_px for name in FINGERS] for seed in range(40)]
        )

        assert periods.std(axis=1).mean() < 0.6 * periods.mean(axis=1).std()

    def test_loops_open_towards_the_little_finger(self):
        left = [ComputedPerson(seed).finger("left_ring").pattern for seed in range(300)]
        right = [ComputedPerson(seed).finger("right_ring").pattern for seed in range(300)]

        assert left.count(PatternClass.LEFT_LOOP) > 8 * left.count(PatternClass.RIGHT_LOOP)
        assert right.count(PatternClass.RIGHT_LOOP) > 8 * right.count(PatternClass.LEFT_LOOP)

    def test_an_unknown_finger_is_refused(self):
        with pytest.raises(ValueError, match="right_index"):
            ComputedPerson(1).finger("nose")
