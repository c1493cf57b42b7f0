import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.error_rates import (
    cllr,
    det_curve,
    det_points,
    eer,
    fmr,
    fnmr,
    min_cllr,
    open_set_rates,
    oracle_threshold,
    rank_errors,
    ranks,
)

scores = st.lists(st.floats(-50.0, 50.0), min_size=1, max_size=30)


class TestRates:
    def test_a_score_at_the_threshold_matches(self) -> None:
        assert fmr([0.0, 1.0, 2.0, 3.0], 2.0) == 0.5
        assert fnmr([0.0, 1.0, 2.0, 3.0], 2.0) == 0.5

    def test_a_failure_is_a_non_match_at_every_threshold(self) -> None:
        assert fnmr([-np.inf, 5.0], -1e300) == 0.5


class TestDetPoints:
    @given(scores, scores)
    def test_every_point_lies_on_the_curve(self, mated: list[float], non_mated: list[float]) -> None:
        fmr_found, fnmr_found = det_points(mated, non_mated)

        for point_fmr, point_fnmr in zip(fmr_found, fnmr_found, strict=True):
            thresholds = [s for s in non_mated if fmr(non_mated, s) > point_fmr + 1e-12]
            above = np.nextafter(max(thresholds), np.inf) if thresholds else -np.inf
            assert point_fnmr == pytest.approx(fnmr(mated, above))

    def test_it_runs_from_one_false_match_to_half(self) -> None:
        rng = np.random.default_rng(3)

        fmr_found, fnmr_found = det_points(rng.normal(2.0, 1.0, 50), rng.normal(0.0, 1.0, 2000))

        assert fmr_found[0] == pytest.approx(1 / 2000)
        assert fmr_found[-1] == pytest.approx(0.5)
        assert np.all(np.diff(fmr_found) > 0.0)
        assert np.all(np.diff(fnmr_found) <= 0.0)
        assert fmr_found.size < 100


class TestDetCurve:
    @given(scores, scores)
    def test_equals_counting_at_every_threshold(self, mated: list[float], non_mated: list[float]) -> None:
        curve = det_curve(mated, non_mated)

        for k, threshold in enumerate(curve.thresholds):
            assert curve.fmr[k] == pytest.approx(sum(s >= threshold for s in non_mated) / len(non_mated))
            assert curve.fnmr[k] == pytest.approx(sum(s < threshold for s in mated) / len(mated))

    @given(scores, scores)
    def test_rates_are_monotone_in_the_threshold(self, mated: list[float], non_mated: list[float]) -> None:
        curve = det_curve(mated, non_mated)

        assert np.all(np.diff(curve.fmr) <= 0.0)
        assert np.all(np.diff(curve.fnmr) >= 0.0)

    @pytest.mark.parametrize("bad", [[], [float("nan"), 1.0]])
    def test_nothing_and_nan_are_refused(self, bad: list[float]) -> None:
        with pytest.raises(ValueError, match="at least one score"):
            det_curve(bad, [1.0])


class TestEer:
    def test_separated_scores_have_none(self) -> None:
        assert eer([5.0, 6.0], [1.0, 2.0]) == 0.0

    def test_reversed_scores_have_all(self) -> None:
        assert eer([1.0, 2.0], [5.0, 6.0]) == 1.0

    def test_crossing_on_a_step_is_that_step(self) -> None:
        # At threshold 3 one of four mated is below and one of four non-mated at or above.
        assert eer([2.0, 3.0, 4.0, 5.0], [0.0, 1.0, 1.5, 3.5]) == 0.25

    def test_crossing_between_steps_is_interpolated(self) -> None:
        # Threshold 1: FNMR 0, FMR 1/3. Threshold 2: FNMR 1/2, FMR 0. The lines cross at 1/5.
        assert eer([1.0, 2.0], [0.0, 0.5, 1.0]) == pytest.approx(0.2)

    def test_identical_distributions_have_half(self) -> None:
        values = np.arange(1000.0)

        assert eer(values, values) == pytest.approx(0.5, abs=1e-3)

    @given(scores, scores)
    def test_any_increasing_map_keeps_it(self, mated: list[float], non_mated: list[float]) -> None:
        squeezed = [np.round(np.array(s), 3) for s in (mated, non_mated)]
        mapped = [3.0 * s + 2.0 for s in squeezed]

        assert eer(*mapped) == pytest.approx(eer(*squeezed))

    def test_failures_count(self) -> None:
        assert eer([-np.inf, 5.0], [1.0, 2.0, 3.0]) > eer([5.0, 5.0], [1.0, 2.0, 3.0])


class TestOracleThreshold:
    @given(scores, st.floats(0.0, 1.0))
    def test_keeps_the_rate_and_is_the_lowest_that_does(self, non_mated: list[float], rate: float) -> None:
        threshold = oracle_threshold(non_mated, rate)

        assert fmr(non_mated, threshold) <= rate + 1e-9
        if np.isfinite(threshold):
            assert fmr(non_mated, np.nextafter(threshold, -np.inf)) > rate - 1e-9


class TestCllr:
    def test_no_information_costs_one_bit(self) -> None:
        assert cllr([0.0, 0.0], [0.0]) == pytest.approx(1.0)

    def test_hand_computed(self) -> None:
        # LR 3 for a mated, 1/3 for a non-mated comparison: log2(1 + 1/3) each.
        llr_db = 10.0 * np.log10(3.0)

        assert cllr([llr_db], [-llr_db]) == pytest.approx(np.log2(4.0 / 3.0))

    def test_confident_and_wrong_costs_much(self) -> None:
        assert cllr([-1000.0], [0.0]) > 100.0


class TestMinCllr:
    def test_separated_scores_cost_nothing(self) -> None:
        assert min_cllr([5.0, 6.0], [1.0, 2.0]) == 0.0

    def test_reversed_scores_cost_one_bit(self) -> None:
        assert min_cllr([1.0], [2.0]) == pytest.approx(1.0)

    @given(scores, scores)
    def test_never_exceeds_cllr_or_one(self, mated: list[float], non_mated: list[float]) -> None:
        least = min_cllr(mated, non_mated)

        assert least <= cllr(mated, non_mated) + 1e-9
        assert -1e-12 <= least <= 1.0 + 1e-9

    def test_calibrated_ratios_reach_it(self) -> None:
        rng = np.random.default_rng(0)
        nats = rng.normal(3.0, np.sqrt(6.0), 40_000), rng.normal(-3.0, np.sqrt(6.0), 40_000)
        mated, non_mated = (10.0 / np.log(10.0) * part for part in nats)

        assert cllr(mated, non_mated) == pytest.approx(min_cllr(mated, non_mated), rel=0.02)


class TestRanks:
    def test_ties_count_against_the_probe(self) -> None:
        assert ranks([2.0, 2.0], [[1.0, 2.0], [1.0, 1.5]]).tolist() == [2, 1]

    def test_comparisons_that_were_not_made_are_passed_over(self) -> None:
        assert ranks([2.0], [[np.nan, 3.0]]).tolist() == [2]

    def test_a_failure_is_in_no_rank(self) -> None:
        assert rank_errors(ranks([-np.inf], [[-np.inf]]), k=1000) == 1


class TestOpenSetRates:
    def test_identified_means_first_and_above_the_threshold(self) -> None:
        rates = open_set_rates([3.0, 3.0, 1.0], [1, 2, 1], [0.0, 2.0, 5.0, 1.0], 2.0)

        assert rates.dir == pytest.approx(1 / 3)
        assert rates.fnir == pytest.approx(2 / 3)
        assert rates.fpir == 0.5
