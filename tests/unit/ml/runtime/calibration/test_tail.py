import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml.runtime.calibration.nulls import BIN_DB, REACH, LlrHistogram, Null, PairScores, fit_null
from ml.runtime.calibration.softening import Softening, softened_grid
from ml.runtime.calibration.tail import Tail, continued

FloatArray = NDArray[np.float64]
MEAN_DB = 4.0
PEOPLE = 120


class Population:
    """Pairs whose scores fall exponentially, a calibrated ratio's faster: nothing to do with the people."""

    def __init__(self, people: int = PEOPLE, *, seed: int = 1, mean_db: float = MEAN_DB) -> None:
        first, second = np.triu_indices(people, k=1)
        self.llr_db = np.random.default_rng(seed).exponential(mean_db, first.size) - 15.0
        self.softening = Softening(first.size)
        self.histogram = LlrHistogram.of(self.llr_db, pairs=first.size)
        first_bin, n_bins = softened_grid(first.size)
        scores = PairScores(self.softening.measured_db(self.llr_db), first, second, people)
        self.measured = fit_null(scores, first_bin=first_bin, n_bins=n_bins, replicates=60)

    @property
    def null(self) -> Null:
        return continued(self.measured, self.histogram, self.softening)

    def reached(self, fmr: float, *, mean_db: float = MEAN_DB) -> float:
        """The true rate at the threshold of a stated one."""
        threshold_db = float(self.softening.llr_db(self.null.threshold(fmr)))
        return float(np.exp(-(threshold_db + 15.0) / mean_db))


POPULATION = Population()
RATES = st.floats(1e-8, 1.0)


class TestContinued:
    def test_resolved_rates_are_answered_as_measured(self) -> None:
        for rate in (0.5, 0.1, 0.01, POPULATION.measured.resolution):
            assert POPULATION.null.threshold(rate) == POPULATION.measured.threshold(rate)
            assert POPULATION.null.resolution == POPULATION.measured.resolution

    @given(RATES, RATES)
    def test_thresholds_rise_and_rates_fall_across_all_three_regions(self, one: float, other: float) -> None:
        null, low, high = POPULATION.null, min(one, other), max(one, other)

        assert null.threshold(low) >= null.threshold(high)
        assert 0.0 < null.fmr_at(null.threshold(one)) <= one
        assert null.threshold(null.fmr_at(null.threshold(one))) <= null.threshold(one)

    @pytest.mark.parametrize("times_rarer", [3.0, 30.0, 250.0])
    def test_an_exponential_is_met_from_below(self, times_rarer: float) -> None:
        ratios = []
        for seed in range(20):
            population = Population(seed=seed)
            rate = population.measured.resolution / times_rarer
            ratios.append(population.reached(rate) / rate)

        assert 0.05 <= np.mean(ratios) <= 1.0
        assert np.mean(np.array(ratios) > 1.0) <= 0.2

    def test_the_tail_reaches_less_far_than_markovs_bound(self) -> None:
        rate = POPULATION.measured.resolution / 30.0

        assert POPULATION.null.threshold(rate) < POPULATION.measured.threshold(rate) - 5.0

    def test_beyond_its_reach_markovs_bound_is_left(self) -> None:
        rate = 0.99 * POPULATION.null.reach

        assert POPULATION.null.threshold(rate) == pytest.approx(-10.0 * np.log10(rate))
        assert POPULATION.null.threshold(rate) > POPULATION.softening.ceiling_db

    def test_the_reach_is_below_the_ceiling(self) -> None:
        null = POPULATION.null

        assert null.reach == POPULATION.measured.resolution / REACH
        assert null.threshold(null.reach) < POPULATION.softening.ceiling_db

    def test_scores_that_fill_the_scale_are_not_continued(self) -> None:
        pairs = PairScores(np.full(45, 2.0), *np.triu_indices(10, k=1), 10)
        softening = Softening(45)
        measured = fit_null(pairs, first_bin=softened_grid(45)[0], n_bins=softened_grid(45)[1], replicates=5)

        null = continued(measured, LlrHistogram.of(np.full(45, 60.0), pairs=45), softening)

        assert null.reach == null.resolution
        assert null.threshold(null.resolution) > softening.ceiling_db

    def test_a_sum_reaches_as_far_as_both_together(self) -> None:
        null = POPULATION.null

        both = null.convolve(null)

        assert both.reach == pytest.approx(null.reach**2)
        assert both.resolution == null.resolution
        assert both.threshold(1e-6) < 60.0

    def test_simulated_sums_stay_below_the_rate(self) -> None:
        other = Population(seed=2)
        total = POPULATION.null.convolve(other.null)
        rng = np.random.default_rng(3)
        llr_db = rng.exponential(MEAN_DB, (2, 500_000)) - 15.0
        scores_db = POPULATION.softening.score_db(llr_db).sum(axis=0)

        for rate in (1e-2, 1e-3, 1e-4, 1e-5):
            assert np.mean(scores_db >= total.threshold(rate)) <= rate


class TestTail:
    def test_few_scores_make_it_heavier(self) -> None:
        few, many = (Tail(0.0, 0.01, 5.0, count).survival(np.array([20.0]))[0] for count in (10.0, 1e6))

        assert many == pytest.approx(0.01 * np.exp(-4.0), rel=1e-3)
        assert few == pytest.approx(0.01 * (1.0 + 20.0 / 50.0) ** -10)
        assert few > many

    def test_it_is_no_heavier_than_a_calibrated_ratio_s(self) -> None:
        tail = Tail(0.0, 0.01, 30.0, 10.0)

        beyond = tail.survival(np.array([20.0, 30.0, 40.0]))

        assert beyond[1:] == pytest.approx([1e-3, 1e-4])

    def test_where_scores_reach_farther_than_calibrated_it_falls_from_there(self) -> None:
        tail = Tail(35.0, 0.01, 30.0, 10.0)

        assert tail.survival(np.array([35.0, 45.0])) == pytest.approx([0.01, 1e-3])

    def test_mean_excess_is_that_of_the_highest_scores(self) -> None:
        scores_db = np.random.default_rng(4).exponential(6.0, 50_000)

        assert LlrHistogram.of(scores_db, pairs=50_000).mean_excess_db(0.01) == pytest.approx(6.0, rel=0.1)

    def test_comparisons_that_share_people_count_less(self) -> None:
        people = np.random.default_rng(5).normal(0.0, 4.0, PEOPLE)
        first, second = np.triu_indices(PEOPLE, k=1)
        alike = people[first] + people[second] - 15.0  # Some people resemble everybody.
        softening = Softening(first.size)
        first_bin, n_bins = softened_grid(first.size)
        pairs = PairScores(softening.measured_db(alike), first, second, PEOPLE)
        null = fit_null(pairs, first_bin=first_bin, n_bins=n_bins, replicates=60)

        shared = Tail.fit(LlrHistogram.of(alike, pairs=first.size), null, 0.0)
        alone = Tail.fit(POPULATION.histogram, POPULATION.measured, 0.0)

        assert shared.count < 0.5 * alone.count
        assert shared.mean_excess_db > BIN_DB
