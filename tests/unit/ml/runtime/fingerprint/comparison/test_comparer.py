"""One similarity per pair, whatever the order and the company."""

import numpy as np
import pytest

from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.detail import detail_of
from tests.unit.ml.runtime.fingerprint.comparison.prints import impression, template, templates

FINGERS = range(12)


@pytest.fixture(scope="module")
def comparer() -> FingerprintComparer:
    return FingerprintComparer(Combiner(hopeless_relaxed=0.01))


class TestSimilarities:
    def test_one_finger_resembles_itself_more_than_any_other(self, comparer: FingerprintComparer) -> None:
        first, second = templates(0, FINGERS), templates(1, FINGERS, angle=-0.4)

        found = comparer.similarities([(a, b) for a in first for b in second]).reshape(12, 12)

        mated = np.diag(found)
        assert mated.min() > found[~np.eye(12, dtype=bool)].max() + 0.2

    def test_both_orders_give_the_same_bits(self, comparer: FingerprintComparer) -> None:
        pairs = [(a, b) for a in templates(0, FINGERS) for b in templates(1, range(4))]

        found = comparer.similarities(pairs)

        assert np.array_equal(found, comparer.similarities([(b, a) for a, b in pairs]))

    def test_company_changes_no_bit(self, comparer: FingerprintComparer) -> None:
        sizes = [templates(0, range(4), n=n) + templates(1, range(4), n=n) for n in (12, 40, 90)]
        pairs = [(a, b) for one in sizes for other in sizes for a in one for b in other]
        order = np.random.default_rng(0).permutation(len(pairs))

        together = comparer.similarities(pairs)

        shuffled = comparer.similarities([pairs[place] for place in order])
        assert np.array_equal(shuffled, together[order])
        assert np.array_equal([comparer.similarities([pair])[0] for pair in pairs[::7]], together[::7])

    def test_equal_details_are_wholly_alike(self, comparer: FingerprintComparer) -> None:
        one = template(impression(1, 0))

        assert comparer.similarities([(one, one), (one, template(impression(1, 0)))]).tolist() == [1.0, 1.0]

    def test_all_lie_within_one(self, comparer: FingerprintComparer) -> None:
        found = comparer.similarities([(a, b) for a in templates(0, FINGERS) for b in templates(1, range(4))])

        assert (np.abs(found) < 1.0).all()


class TestCompare:
    def test_a_subject_counts_by_the_most_alike_of_all_pairs(self, comparer: FingerprintComparer) -> None:
        probe = [template(impression(1, seed)) for seed in (0, 1)]
        enrolled = [templates(2, range(1, 4)), templates(3, range(5, 7))]

        found = comparer.compare(probe, enrolled)

        for subject, references in enumerate(enrolled):
            each = comparer.similarities([(a, b) for a in probe for b in references])
            assert found[subject] == each.max()

    def test_nobody_enrolled_gives_nothing(self, comparer: FingerprintComparer) -> None:
        assert comparer.compare(templates(0, range(1)), []).shape == (0,)


class TestOpen:
    def test_malformed_details_are_refused(self, comparer: FingerprintComparer) -> None:
        with pytest.raises(ValueError, match="bytes"):
            comparer.open(b"no detail")

    def test_what_was_sealed_opens(self, comparer: FingerprintComparer) -> None:
        detail = detail_of(impression(1, 0), dpi=500.0, quality=0.8)

        assert comparer.open(detail).key == detail
