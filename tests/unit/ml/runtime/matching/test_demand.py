import numpy as np
import pytest

from ml.runtime.calibration.nulls import Null
from ml.runtime.matching.demand import Demand

SURVIVAL = np.geomspace(1.0, 1e-4, 161)
NULL = Null(-80, SURVIVAL, -np.diff(SURVIVAL, append=0.0), pairs=400_000)


class TestThreshold:
    def test_a_claim_takes_the_false_match_rate(self):
        assert Demand(0.01).threshold_db(NULL) == NULL.threshold(0.01)

    def test_a_search_takes_the_stricter_of_both_rates(self):
        assert Demand(0.01, 0.5, subjects=10).threshold_db(NULL) == NULL.threshold(0.01)
        assert Demand(0.01, 0.5, subjects=500).threshold_db(NULL) == NULL.threshold(0.001)

    @pytest.mark.parametrize("comparisons", [1, 2, 8])
    def test_several_comparisons_share_each_rate(self, comparisons):
        found = Demand(0.04, 0.5, subjects=4).threshold_db(NULL, comparisons)

        assert found == NULL.threshold(0.04 / comparisons)

    def test_the_smallest_rate_there_is_can_be_divided(self):
        assert Demand(5e-324, 5e-324, subjects=1000).threshold_db(NULL, 8) > 1000.0


class TestIsMeasured:
    RESOLUTION = 30 / 400_000

    def test_the_smaller_rate_decides(self):
        assert Demand(0.01).is_measured(NULL)
        assert Demand(self.RESOLUTION).is_measured(NULL)
        assert not Demand(0.99 * self.RESOLUTION).is_measured(NULL)
        assert not Demand(0.01, self.RESOLUTION, subjects=2).is_measured(NULL)

    def test_comparisons_share_the_rate(self):
        assert Demand(2 * self.RESOLUTION).is_measured(NULL, 2)
        assert not Demand(2 * self.RESOLUTION).is_measured(NULL, 3)
