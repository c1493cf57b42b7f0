"""Similarities of cylinders, re-derived bit by bit."""

import numpy as np

from ml.runtime.fingerprint.comparison.cylinders import CELLS_IN_CIRCLE
from ml.runtime.fingerprint.comparison.local_similarity import local_similarities
from ml.runtime.fingerprint.comparison.pair_batch import stacked
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate
from tests.unit.ml.runtime.fingerprint.comparison.prints import impression, template


def similarity(a: FingerprintTemplate, i: int, b: FingerprintTemplate, j: int) -> float:
    off = abs(a.direction[i] - b.direction[j])
    common = int(a.cells[i]) & int(b.cells[j])
    if min(off, 2 * np.pi - off) > np.pi / 2 or common.bit_count() < int(0.6 * CELLS_IN_CIRCLE):
        return 0.0
    words = [(int(p) & common, int(q) & common) for p, q in zip(a.bits[i], b.bits[j], strict=True)]
    apart = sum((p ^ q).bit_count() for p, q in words)
    ones = [sum(word[side].bit_count() for word in words) for side in (0, 1)]
    return 1.0 - np.sqrt(apart) / (np.sqrt(ones[0]) + np.sqrt(ones[1])) if sum(ones) else 0.0


class TestLocalSimilarities:
    def test_equal_the_bits_counted_one_by_one(self) -> None:
        a, b = sorted((template(impression(1, seed, n=20)) for seed in (0, 1)), key=lambda one: one.key)

        found = local_similarities(*stacked([(a, b)]))[0]

        for i in range(a.n_cylinders):
            for j in range(b.n_cylinders):
                assert np.isclose(found[i, j], similarity(a, i, b, j), atol=1e-6)

    def test_a_cylinder_is_most_alike_to_itself(self) -> None:
        a = template(impression(1, 0))

        found = local_similarities(*stacked([(a, a)]))[0]

        assert np.array_equal(np.diag(found), np.ones(a.n_cylinders))

    def test_padding_resembles_nothing(self) -> None:
        large, small = template(impression(1, 0)), template(impression(2, 0, n=20))

        found = local_similarities(*stacked([(large, large), (small, small)]))

        assert not found[1, small.n_cylinders :].any()
        assert not found[1, :, small.n_cylinders :].any()
