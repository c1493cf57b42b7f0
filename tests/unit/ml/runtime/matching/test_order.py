import numpy as np

from ml.runtime.matching.order import CandidateOrder

ORDER = CandidateOrder(np.array([2.0, 5.0, 2.0, -np.inf, 2.0]), np.array([9.0, 1.0, 8.0, np.nan, 9.0]))


class TestBest:
    def test_all_that_tie_with_the_last_are_kept(self):
        assert sorted(ORDER.best(2).tolist()) == [0, 1, 2, 4]

    def test_a_limit_beyond_all_gives_all(self):
        assert ORDER.best(9).tolist() == [0, 1, 2, 3, 4]


class TestKey:
    def test_equal_margins_are_ordered_by_the_unsoftened_score(self):
        assert sorted(range(3), key=ORDER.key) == [1, 0, 2]


class TestMarginAt:
    def test_counts_from_one(self):
        assert [ORDER.margin_at(rank) for rank in (1, 2, 4)] == [5.0, 2.0, 2.0]

    def test_there_is_nobody_beyond_the_last(self):
        assert ORDER.margin_at(6) == -np.inf


class TestLevelOrAhead:
    def test_ties_count_and_the_candidate_itself_does_not(self):
        searches = CandidateOrder(np.stack([ORDER.margin_db] * 2), np.stack([ORDER.llr_db] * 2))

        ahead = searches.level_or_ahead(np.array([0, 1]))

        assert ahead.tolist() == [[False, True, False, False, True], [False] * 5]
