import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.runtime.evidence import IMAGES, SECONDS, Evidence, EvidenceArray, pair

amounts = st.floats(0.0, 1e4)
qualities = st.floats(0.0, 1.0)
sides = st.builds(Evidence, amounts, st.just(SECONDS), qualities)

OUT_OF_RANGE = [(-1.0, 0.5), (math.nan, 0.5), (math.inf, 0.5), (1.0, -0.1), (1.0, 1.1), (1.0, math.nan)]


def paired(one: Evidence, other: Evidence) -> tuple[float, float]:
    both = pair(one, other)
    return float(both.amount), float(both.quality)


class TestEvidence:
    @pytest.mark.parametrize(("amount", "quality"), OUT_OF_RANGE)
    def test_what_is_out_of_range_cannot_be_made(self, amount, quality):
        with pytest.raises(ValueError, match="finite"):
            Evidence(amount, SECONDS, quality)

    @pytest.mark.parametrize(("amount", "quality"), OUT_OF_RANGE)
    def test_nor_can_an_array_that_holds_it(self, amount, quality):
        with pytest.raises(ValueError, match="finite"):
            EvidenceArray(np.array([5.0, amount, 5.0]), SECONDS, np.array([0.5, quality, 0.5]))

    def test_arrays_are_parallel(self):
        with pytest.raises(ValueError, match="shape"):
            EvidenceArray(np.zeros(3), SECONDS, np.zeros(2))

    def test_only_seconds_are_seconds(self):
        assert Evidence(8.0, SECONDS, 0.5).seconds == 8.0
        assert Evidence(1.0, IMAGES, 0.5).seconds is None


class TestPair:
    def test_the_weaker_side_counts(self):
        assert paired(Evidence(20.0, SECONDS, 0.9), Evidence(5.0, SECONDS, 0.9))[0] == 5.0

    def test_quality_is_weighted_by_amount(self):
        quality = paired(Evidence(30.0, SECONDS, 0.9), Evidence(10.0, SECONDS, 0.5))[1]

        assert quality == pytest.approx((30 * 0.9 + 10 * 0.5) / 40)

    def test_without_any_amount_it_is_the_plain_mean(self):
        assert paired(Evidence(0.0, IMAGES, 0.9), Evidence(0.0, IMAGES, 0.5)) == (0.0, pytest.approx(0.7))

    def test_seconds_and_images_do_not_pair(self):
        with pytest.raises(ValueError, match="do not compare"):
            pair(Evidence(1.0, SECONDS, 0.9), Evidence(1.0, IMAGES, 0.9))

    @given(sides, sides)
    def test_is_the_same_in_either_order_and_lies_between_both(self, one, other):
        amount, quality = paired(one, other)

        assert (amount, quality) == paired(other, one)
        low, high = sorted((one.quality, other.quality))
        assert low - 1e-12 <= quality <= high + 1e-12

    @given(st.lists(sides, min_size=1, max_size=4), st.lists(sides, min_size=1, max_size=4))
    def test_many_are_paired_as_one_by_one(self, rows, columns):
        one, other = (
            EvidenceArray(np.array([s.amount for s in side]), SECONDS, np.array([s.quality for s in side]))
            for side in (rows, columns)
        )

        both = pair(one[:, None], other)

        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                assert (both.amount[i, j], both.quality[i, j]) == paired(row, column)


class TestPooled:
    def test_amounts_add_up_and_quality_is_weighted(self):
        many = EvidenceArray(np.array([30.0, 10.0]), SECONDS, np.array([0.9, 0.5]))

        assert many.pooled().amount == 40.0
        assert many.pooled().quality == pytest.approx(0.8)

    def test_without_any_amount_quality_is_a_plain_mean(self):
        many = EvidenceArray(np.zeros(2), IMAGES, np.array([0.9, 0.5]))

        assert many.pooled().amount == 0.0
        assert many.pooled().quality == pytest.approx(0.7)
