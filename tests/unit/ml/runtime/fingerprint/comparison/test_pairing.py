"""Pairs by rounds are those of the greedy order."""

import numpy as np
import pytest

from ml.runtime.fingerprint.comparison.pairing import MOST_PAIRS, best_pairs


def greedy(similarity: np.ndarray) -> list[tuple[int, int]]:
    order = np.argsort(-similarity, axis=None, kind="stable")
    pairs: list[tuple[int, int]] = []
    for flat in order:
        i, j = divmod(int(flat), similarity.shape[1])
        if similarity[i, j] > 0 and all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


class TestBestPairs:
    @pytest.mark.parametrize("shape", [(12, 9), (9, 12), (30, 30)])
    def test_the_strongest_are_those_of_the_greedy_order(self, shape: tuple[int, int]) -> None:
        similarity = np.random.default_rng(0).random(shape).astype(np.float32)

        pairs = best_pairs(similarity[None])

        held = int((pairs.similarity[0] > 0).sum())
        found = list(zip(pairs.first[0, :held].tolist(), pairs.second[0, :held].tolist(), strict=True))
        assert found[:8] == greedy(similarity)[:8]
        assert held >= min(shape) - 3

    def test_no_minutia_is_in_two_pairs(self) -> None:
        similarity = np.random.default_rng(1).integers(0, 3, (1, 40, 40)).astype(np.float32)

        pairs = best_pairs(similarity)

        held = pairs.similarity[0] > 0
        for side in (pairs.first[0], pairs.second[0]):
            assert len(set(side[held].tolist())) == held.sum()

    def test_the_most_alike_come_first(self) -> None:
        similarity = np.random.default_rng(2).random((3, 80, 70)).astype(np.float32)

        pairs = best_pairs(similarity)

        assert pairs.similarity.shape == (3, MOST_PAIRS)
        assert (np.diff(pairs.similarity, axis=1) <= 0).all()

    def test_nothing_alike_makes_no_pairs(self) -> None:
        assert not best_pairs(np.zeros((2, 5, 7), np.float32)).similarity.any()
