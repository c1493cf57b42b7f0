"""Names that may be one person, grouped: by hand, and for any order."""

import numpy as np
import pytest

from ml.runtime.matching.possible_duplicates import PossibleDuplicates, find_possible_duplicates


def alike(n: int, *pairs: tuple[int, int]) -> np.ndarray:
    found = np.zeros((n, n), dtype=bool)
    for i, j in pairs:
        found[i, j] = found[j, i] = True
    return found


def scores(linked: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0.0, 1.0, linked.shape)
    return np.where(linked, 30.0, -20.0) + noise + noise.T


def found_in(linked: np.ndarray, score_db: np.ndarray) -> PossibleDuplicates:
    return find_possible_duplicates(linked, score_db, score_db.sum(axis=1))


class TestFindPossibleDuplicates:
    def test_nobody_alike_is_nobody(self):
        linked = alike(5)

        assert found_in(linked, scores(linked)) == PossibleDuplicates()

    def test_a_diagonal_says_nothing(self):
        linked = np.eye(4, dtype=bool)

        assert found_in(linked, scores(linked)).groups == ()

    def test_names_of_one_person_are_one_group(self):
        linked = alike(6, (1, 3), (1, 5), (3, 5))

        found = found_in(linked, scores(linked))

        assert found.groups == ((1, 3, 5),)
        assert found.other_pairs == ()

    def test_a_person_who_changed_between_two_sessions_stays_one(self):
        linked = alike(4, (0, 1), (0, 2), (0, 3), (1, 2), (2, 3))  # 1 and 3 do not look alike.

        assert found_in(linked, scores(linked)).groups == ((0, 1, 2, 3),)

    def test_one_who_resembles_several_people_does_not_join_them(self):
        linked = alike(5, (0, 1), (0, 2), (0, 3))

        found = found_in(linked, scores(linked))

        assert [len(names) for names in found.people] == [2]
        assert len(found.other_pairs) == 2
        assert {name for pair in found.other_pairs for name in pair} | set(found.people[0]) == {0, 1, 2, 3}

    @pytest.mark.parametrize("seed", range(5))
    def test_the_order_of_subjects_does_not_matter(self, seed: int):
        rng = np.random.default_rng(seed)
        linked = alike(12, (0, 1), (0, 2), (1, 2), (4, 5), (5, 6), (7, 8), (8, 9), (9, 10), (7, 10))
        score_db = scores(linked, seed)
        order = rng.permutation(12)

        one = found_in(linked, score_db)
        other = found_in(linked[np.ix_(order, order)], score_db[np.ix_(order, order)])

        named = sorted(tuple(sorted(int(order[row]) for row in group)) for group in other.groups)
        assert named == list(one.groups)
