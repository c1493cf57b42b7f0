"""Alignment finds the motion that a print was moved by."""

import numpy as np
import pytest

from ml.runtime.fingerprint.comparison.alignment import Aligned, align
from ml.runtime.fingerprint.comparison.local_similarity import local_similarities
from ml.runtime.fingerprint.comparison.pair_batch import stacked
from ml.runtime.fingerprint.comparison.pairing import best_pairs
from ml.runtime.fingerprint.comparison.relaxation import Relaxed, relax
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate
from tests.unit.ml.runtime.fingerprint.comparison.prints import finger, impression, moved, template


def compared(one: FingerprintTemplate, other: FingerprintTemplate) -> tuple[Relaxed, Aligned]:
    a, b = stacked([(one, other)])
    pairs = best_pairs(local_similarities(a, b))
    relaxed = relax(a, b, pairs)
    return relaxed, align(a, b, pairs, relaxed)


def aligned_batch(prints: list[tuple[FingerprintTemplate, FingerprintTemplate]]) -> Aligned:
    a, b = stacked(prints)
    pairs = best_pairs(local_similarities(a, b))
    return align(a, b, pairs, relax(a, b, pairs))


class TestAlign:
    @pytest.mark.parametrize("angle", [-1.2, 0.0, 0.4, 1.4])
    def test_every_minutia_of_a_moved_print_is_met(self, angle: float) -> None:
        whole = finger(1)

        _, aligned = compared(template(whole), template(moved(whole, angle, (12.0, -40.0))))

        assert aligned.met[0] > 0.97 * len(whole)
        assert aligned.overlap[0] == len(whole)

    def test_a_print_turned_by_more_than_a_quarter_is_not_met(self) -> None:
        whole = finger(1)

        _, aligned = compared(template(whole), template(moved(whole, 2.5)))

        assert aligned.met[0] < 0.3 * len(whole)

    @pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi])
    def test_the_padding_of_small_prints_meets_nothing(self, angle: float) -> None:
        small, large = finger(1, n=30), finger(2, n=60)
        pair = template(small), template(moved(small, angle))
        company = template(large), template(moved(large, angle))

        alone = aligned_batch([pair])
        beside = aligned_batch([pair, company])

        assert len(pair[0]) < len(company[0])
        assert (beside.met[0], beside.overlap[0]) == (alone.met[0], alone.overlap[0])

    def test_strangers_meet_by_chance_only(self) -> None:
        _, own = compared(template(impression(1, 0)), template(impression(1, 1)))
        _, others = compared(template(impression(1, 0)), template(impression(2, 0)))

        assert own.met[0] > 3.0 * others.met[0]


class TestRelax:
    def test_pairs_of_one_finger_support_each_other(self) -> None:
        own, _ = compared(template(impression(1, 0)), template(impression(1, 1)))
        others, _ = compared(template(impression(1, 0)), template(impression(2, 0)))

        assert own.score[0] > 5.0 * others.score[0]

    def test_support_is_mutual(self) -> None:
        relaxed, _ = compared(template(impression(1, 0)), template(impression(1, 1)))

        support = relaxed.support[0]
        assert np.allclose(support, support.T, atol=1e-6)
        assert not np.diag(support).any()
