import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from ml.training.repeat_patients import PAIRS_FILE, ignored_repeats, likely_repeats

NAMES = ("A3", "A1", "A2", "A4")


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def view(seed, same=()):
    """First and last halves of four people; of a pair `same` both halves are alike to the bit."""
    rng = np.random.default_rng(seed)
    people = rng.standard_normal((4, 32))
    halves = [people + 0.2 * rng.standard_normal((4, 32)) for _ in range(2)]
    for one, other in same:
        for half in halves:
            half[[one, other]] = people[one]
    return tuple(unit(half) for half in halves)


class TestLikelyRepeats:
    def test_a_pair_that_both_views_take_for_one_is_found(self):
        found = likely_repeats([view(1, [(0, 1)]), view(2, [(0, 1)])], NAMES)

        assert found == [("A1", "A3")]

    def test_a_pair_that_one_view_separates_is_not(self):
        assert likely_repeats([view(1, [(0, 1)]), view(2)], NAMES) == []

    def test_it_must_be_found_either_way_round(self):
        first, last = view(1)
        first[0] = last[1]  # The first half of one looks like the last of the other, and not the reverse.

        assert likely_repeats([(first, last)], NAMES, quantile=0.3) == []


class TestPairsFile:
    def test_is_part_of_the_package(self):
        root = Path(__file__).parents[4]
        settings = tomllib.loads((root / "pyproject.toml").read_text())
        patterns = settings["tool"]["setuptools"]["package-data"]["ml.training"]

        assert PAIRS_FILE.parent == root / "ml" / "training"
        assert any(PAIRS_FILE.match(pattern) for pattern in patterns)


class TestIgnoredRepeats:
    def test_pairs_of_these_people_are_ignored_and_others_passed_over(self, tmp_path):
        path = tmp_path / "pairs.json"
        path.write_text(json.dumps({"pairs": [["A1", "A3"], ["A1", "A9"]]}))

        ignored = ignored_repeats(NAMES, path)

        assert ignored.of(ignored.partners[:, 0]).tolist() == [[0, 1], [1, 0], [2, 2], [3, 3]]
