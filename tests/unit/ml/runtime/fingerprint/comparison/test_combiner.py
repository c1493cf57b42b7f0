"""What comparisons find, as one number."""

from dataclasses import replace

import numpy as np
import pytest

from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.findings import Findings, find, joined
from tests.unit.ml.runtime.fingerprint.comparison.prints import impression, template

COMBINER = Combiner(
    bias=1.0,
    log_relaxed=2.0,
    log_minutiae=0.5,
    root_met_share=3.0,
    met_share=4.0,
    strangers_root_met_share=0.7,
    strangers_met_share=0.2,
    scale=20.0,
)


def findings(*, aligned: bool) -> Findings:
    return Findings(
        minutiae=np.array([40]),
        relaxed=np.array([0.1]),
        aligned=np.array([aligned]),
        met=np.array([20.0]),
        overlap=np.array([25.0]),
    )


class TestCombiner:
    def test_the_terms_add_up(self) -> None:
        expected = 1.0 + 2.0 * np.log(0.103) + 0.5 * np.log(41.0) + 3.0 * 20.0 / 5.0 + 4.0 * 20.0 / 25.0

        assert COMBINER.log_odds(findings(aligned=True))[0] == pytest.approx(expected)
        assert COMBINER.similarity(findings(aligned=True))[0] == pytest.approx(np.tanh(expected / 20.0))

    def test_without_an_alignment_the_terms_are_those_of_strangers(self) -> None:
        expected = 1.0 + 2.0 * np.log(0.103) + 0.5 * np.log(41.0) + 3.0 * 0.7 + 4.0 * 0.2

        assert COMBINER.log_odds(findings(aligned=False))[0] == pytest.approx(expected)

    def test_more_that_meets_is_more_alike(self) -> None:
        more = replace(findings(aligned=True), met=np.array([22.0]))

        assert COMBINER.similarity(more) > COMBINER.similarity(findings(aligned=True))


class TestFind:
    def test_hopeless_pairs_are_not_aligned(self) -> None:
        own = (template(impression(1, 0)), template(impression(1, 1)))
        others = (template(impression(1, 0)), template(impression(2, 0)))

        found = find([own, others], hopeless_relaxed=0.05)

        assert found.aligned.tolist() == [True, False]
        assert found.met[0] > 0.0
        assert found.met[1] == 0.0

    def test_joined_and_chosen_rows_are_the_same(self) -> None:
        one = findings(aligned=True)

        both = joined([one, findings(aligned=False)])

        assert both.rows(np.array([1, 0])).aligned.tolist() == [False, True]
