from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.research.ablations.r_peaks import Counts, count_matches


def slow_matches(annotated: list[int], detected: list[int], tolerance: int) -> int:
    """Try every way to pair equally many of both, in order."""
    for size in range(min(len(annotated), len(detected)), 0, -1):
        for some in combinations(annotated, size):
            for others in combinations(detected, size):
                if all(abs(a - d) <= tolerance for a, d in zip(some, others, strict=True)):
                    return size
    return 0


class TestCountMatches:
    @given(st.sets(st.integers(0, 40), max_size=5), st.sets(st.integers(0, 40), max_size=5))
    def test_it_is_the_largest_one_to_one_matching(self, annotated: set[int], detected: set[int]) -> None:
        a, d = sorted(annotated), sorted(detected)

        assert count_matches(np.array(a, dtype=int), np.array(d, dtype=int), 3) == slow_matches(a, d, 3)

    def test_one_detection_does_not_match_two_annotations(self) -> None:
        assert count_matches(np.array([100, 110]), np.array([105]), 18.75) == 1

    def test_the_tolerance_is_included(self) -> None:
        assert count_matches(np.array([100]), np.array([119]), 18.75) == 0
        assert count_matches(np.array([100]), np.array([118]), 18.0) == 1


class TestCounts:
    def test_rates_are_shares_of_annotated_and_of_detected_beats(self) -> None:
        counts = Counts(annotated=8, detected=10, matched=6) + Counts(annotated=2, detected=2, matched=2)

        assert (counts.missed, counts.false) == (2, 4)
        assert counts.sensitivity == 0.8
        assert counts.positive_predictivity == 8 / 12
