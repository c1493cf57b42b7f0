import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.llr_map import hinges
from ml.runtime.calibration.nulls import (
    BIN_DB,
    CLASS_SECONDS,
    SHARED,
    LlrHistogram,
    Null,
    PairScores,
    evidence_class,
    evidence_classes,
    fit_null,
    fused,
)
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.runtime.matching.gallery_null import FitRules, GalleryNull, fit_gallery_null
from ml.training.calibration_fit import CohortScores, fit_calibration

FloatArray = NDArray[np.float64]


cosines = st.floats(-1.0, 1.0)
lengths_s = st.floats(0.0, 1e4)
qualities = st.floats(0.0, 1.0)
rates = st.floats(1e-12, 1.0)


class People:
    """A population whose embeddings are traits plus noise that shrinks with the length of evidence."""

    def __init__(self, n: int, *, seed: int, shift: float = 0.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.traits = self.rng.normal(size=(n, 14)) * self.rng.uniform(0.7, 1.3, size=(n, 1))
        self.shift = shift

    def embed(self, seconds: float) -> FloatArray:
        noise = self.rng.normal(size=self.traits.shape) * 1.2 / np.sqrt(seconds)
        vectors = self.traits + noise + self.shift
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def compare(self, seconds: float) -> FloatArray:
        return self.embed(seconds) @ self.embed(seconds).T


def cohort(people: People, seconds: float) -> CohortScores:
    n = len(people.traits)
    quality = people.rng.uniform(0.5, 1.0, n)
    side = EvidenceArray(np.full(n, seconds), SECONDS, quality)
    return CohortScores(people.compare(seconds), side, side)


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    people = People(400, seed=1)
    return fit_calibration([cohort(people, s) for s in (3.0, 5.0, 10.0, 15.0)], replicates=60)


def null_from(scores_db: FloatArray, *, pairs: int) -> Null:
    bins = np.floor(scores_db / BIN_DB).astype(int)
    first = int(bins.min()) - 1
    histogram = np.bincount(bins - first) / bins.size
    survival = np.minimum(np.cumsum(histogram[::-1])[::-1], 1.0)
    survival[:2] = 1.0
    return Null(first, survival, histogram, pairs)


def gallery(people: People, *, seconds: float = 12.0) -> tuple[FloatArray, NDArray[np.int64]]:
    llr_db = calibration().llr_db(people.compare(seconds), seconds, 0.75)
    return llr_db, np.full(llr_db.shape, evidence_class(seconds))


def measured_over_nominal(
    people: People, correction: GalleryNull, *, fmr: float, seconds: float = 12.0
) -> float:
    llr_db, classes = gallery(people, seconds=seconds)
    score_db = calibration().soften_db(correction.apply(llr_db))
    others = ~np.eye(len(score_db), dtype=bool)
    threshold_db = correction.null(calibration(), int(classes[0, 0])).threshold(fmr)
    return float(np.mean(score_db[others] >= threshold_db)) / fmr


class TestEvidenceClass:
    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [(0.0, 0), (4.999, 0), (5.0, 1), (7.499, 1), (7.5, 2), (12.499, 2), (12.5, 3), (np.inf, 3)],
    )
    def test_edges_belong_to_the_class_above(self, seconds: float, expected: int) -> None:
        assert evidence_class(seconds) == expected

    def test_arrays_keep_their_shape(self) -> None:
        assert evidence_classes([[3.0, 5.0], [10.0, 20.0]]).tolist() == [[0, 1], [2, 3]]


class TestLlr:
    @given(st.lists(cosines, min_size=2, max_size=2), lengths_s, qualities)
    def test_llr_increases_strictly_with_cosine(
        self, pair: list[float], seconds: float, quality: float
    ) -> None:
        low, high = min(pair), max(pair) + 1e-9

        llr_db = calibration().llr_db([low, high], seconds, quality)

        assert llr_db[0] < llr_db[1]

    @given(cosines, lengths_s, qualities)
    def test_llr_is_a_finite_float64(self, cosine: float, seconds: float, quality: float) -> None:
        llr_db = calibration().llr_db(cosine, seconds, quality)

        assert llr_db.dtype == np.float64
        assert np.isfinite(llr_db)

    def test_seconds_beyond_the_data_count_as_fifteen(self) -> None:
        assert calibration().llr_db(0.8, 15.0, 0.7) == calibration().llr_db(0.8, 300.0, 0.7)

    def test_more_evidence_makes_a_low_cosine_speak_louder_against_the_claim(self) -> None:
        assert calibration().llr_db(0.2, 15.0, 0.7) < calibration().llr_db(0.2, 3.0, 0.7)

    @pytest.mark.parametrize("seconds", [3.0, 5.0])
    def test_unseen_people_lose_little_to_miscalibration(self, seconds: float) -> None:
        from ml.metrics.error_rates import cllr, min_cllr

        llr_db = calibration().llr_db(People(400, seed=2).compare(seconds), seconds, 0.75)
        mated, non_mated = np.diag(llr_db), llr_db[~np.eye(len(llr_db), dtype=bool)]

        assert cllr(mated, non_mated) <= 1.15 * min_cllr(mated, non_mated)

    def test_sum_of_hinges_equals_the_ramps_of_the_docstring(self) -> None:
        knots, slopes, u = (
            np.array([-0.5, 0.1, 0.7]),
            np.array([1.0, 3.0, 0.5, 2.0]),
            np.array([-1.0, 0.0, 0.9]),
        )
        h = hinges(u, knots)
        ramps = np.stack([u - h[:, 0], h[:, 0] - h[:, 1], h[:, 1] - h[:, 2], h[:, 2]], axis=1)

        gathered = slopes[0] * u + h @ np.diff(slopes)

        np.testing.assert_allclose(ramps.sum(axis=1), u, atol=1e-12)
        np.testing.assert_allclose(gathered, ramps @ slopes, atol=1e-12)


class TestExpectedGain:
    CALIBRATION = Calibration(
        llr_map=None,
        nulls=(),
        llr_histograms=(),
        mated_quantiles_db=(),
        non_mated_pairs=100,
        people=15,
        mated_medians_db=((3.0, 8.0), (6.0, 7.0), (12.0, 20.0)),
    )

    def test_grows_with_the_median_mated_score_and_never_falls(self):
        gains = self.CALIBRATION.expected_gain_db(3.0, np.array([3.0, 6.0, 12.0, 60.0]))

        assert gains == pytest.approx([0.0, 0.0, 12.0, 12.0])

    def test_lies_between_the_lengths_measured_by_their_logarithm(self):
        middle = self.CALIBRATION.expected_gain_db(6.0, np.sqrt(6.0 * 12.0))

        assert middle == pytest.approx((20.0 - 8.0) / 2)

    def test_a_bundle_that_does_not_know_promises_nothing(self):
        silent = replace(self.CALIBRATION, mated_medians_db=())

        assert silent.expected_gain_db(3.0, np.array([5.0, 9.0])).tolist() == [0.0, 0.0]


class TestExpectedAgreement:
    def test_the_mated_cosine_is_where_the_map_reaches_the_median_mated_score(self):
        for seconds, score_db in calibration().mated_medians_db:
            cosine = calibration().mated_cosine(seconds)

            reached_db = calibration().llr_db(cosine, seconds, calibration().llr_map.quality_mean)
            assert reached_db == pytest.approx(score_db, abs=0.3)

    def test_a_bundle_without_medians_takes_the_five_percent_quantile(self):
        bundle = replace(calibration(), mated_medians_db=())

        cosine = bundle.mated_cosine(3.0)

        reached_db = bundle.llr_db(cosine, 3.0, bundle.llr_map.quality_mean)
        assert reached_db == pytest.approx(bundle.mated_quantile_db(0), abs=0.3)

    def test_it_is_the_length_of_a_mean_of_vectors_with_that_cosine(self):
        cosine = float(calibration().mated_cosine(3.0))
        gram = np.full((6, 6), cosine) + (1.0 - cosine) * np.eye(6)
        vectors = np.linalg.cholesky(gram)

        expected = calibration().expected_agreement(np.full(6, 3.0))

        assert expected == pytest.approx(np.linalg.norm(vectors.mean(axis=0)))

    def test_one_recording_agrees_with_itself(self):
        assert calibration().expected_agreement([7.0]) == 1.0


class TestSoften:
    @given(st.floats(-1e4, 1e4))
    def test_scores_stay_between_floor_and_ceiling(self, llr_db: float) -> None:
        score_db = float(calibration().soften_db(llr_db))

        assert -20.0 - 1e-9 <= score_db <= calibration().ceiling_db + 1e-9

    @given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
    def test_softening_never_reverses_an_order(self, one: float, other: float) -> None:
        low, high = calibration().soften_db([min(one, other), max(one, other)])

        assert low <= high

    def test_softening_is_the_formula(self) -> None:
        ratio, delta = 10.0 ** (13.0 / 10.0), 30.0 / calibration().non_mated_pairs

        expected = 10.0 * np.log10((ratio + 0.01) / (1.0 + delta * ratio))

        assert float(calibration().soften_db(13.0)) == pytest.approx(expected, abs=1e-12)

    @given(st.floats(-15.0, 25.0))
    def test_unsoften_inverts(self, score_db: float) -> None:
        llr_db = calibration().unsoften_db(score_db)

        assert float(calibration().soften_db(llr_db)) == pytest.approx(score_db, abs=1e-9)

    def test_unsoften_is_infinite_outside(self) -> None:
        assert calibration().unsoften_db(-20.0) == -np.inf
        assert calibration().unsoften_db(calibration().ceiling_db + 1.0) == np.inf


class TestNull:
    @given(rates, st.integers(0, 2))
    def test_fmr_at_the_threshold_of_a_rate_is_at_most_that_rate(self, fmr: float, k: int) -> None:
        null = calibration().null(k)

        assert 0.0 < null.fmr_at(null.threshold(fmr)) <= fmr

    @given(rates, rates, st.integers(0, 2))
    def test_threshold_falls_with_the_rate(self, one: float, other: float, k: int) -> None:
        null = calibration().null(k)

        assert null.threshold(min(one, other)) >= null.threshold(max(one, other))

    @given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.integers(0, 2))
    def test_fmr_falls_with_the_score(self, one: float, other: float, k: int) -> None:
        null = calibration().null(k)

        assert 0.0 < null.fmr_at(max(one, other)) <= null.fmr_at(min(one, other)) <= 1.0

    @given(st.floats(-30.0, 60.0), st.integers(0, 2))
    def test_a_score_reaches_the_threshold_of_its_own_rate(self, score_db: float, k: int) -> None:
        null = calibration().null(k)

        assert null.threshold(null.fmr_at(score_db)) <= max(score_db, null.first_bin * BIN_DB)

    def test_resolved_threshold_is_the_counted_quantile(self) -> None:
        scores_db = np.random.default_rng(3).normal(-10.0, 6.0, 5000)
        null = null_from(scores_db, pairs=5000)

        for fmr in (0.3, 0.05, 0.01):
            threshold_db = null.threshold(fmr)
            assert np.mean(scores_db >= threshold_db) <= fmr
            assert np.mean(scores_db >= threshold_db - BIN_DB) > fmr

    def test_threshold_beyond_the_tail_s_reach_is_markovs_bound(self) -> None:
        assert calibration().null(2).threshold(1e-7) == pytest.approx(70.0)

    def test_markovs_bound_holds_for_a_calibrated_ratio(self) -> None:
        # Exactly calibrated: log LR ~ N(∓μ, 2μ) in nats. The pairs are few, so the bound starts early.
        nats = np.random.default_rng(4).normal(-2.0, 2.0, 400_000)
        null = null_from(10.0 / np.log(10.0) * nats[:3000], pairs=60)

        for fmr in (0.4, 0.1, 0.01, 0.001):
            assert np.mean(10.0 / np.log(10.0) * nats >= null.threshold(fmr)) <= fmr

    @pytest.mark.parametrize("fmr", [0.0, -0.1, 1.1, float("nan")])
    def test_impossible_rate_is_refused(self, fmr: float) -> None:
        with pytest.raises(ValueError, match="false-match rate"):
            calibration().null(1).threshold(fmr)

    def test_upper_curve_lies_above_the_measured_one(self) -> None:
        null = calibration().nulls[1]

        assert np.all(null.survival >= null.point().survival)
        assert null.threshold(0.01) >= null.point().threshold(0.01)

    @given(
        st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
        st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
        st.integers(-40, 40),
        st.integers(-40, 40),
    )
    def test_sum_equals_the_slow_convolution(
        self, left: list[float], right: list[float], first: int, second: int
    ) -> None:
        one = np.sort(np.array([1.0, *left]))[::-1]
        other = np.sort(np.array([1.0, *right]))[::-1]
        a, b = Null(first, one, one, 100), Null(second, other, other, 50)

        total = a.convolve(b)

        for k in range(total.survival.size):
            slow = 0.0
            for i in range(one.size):
                for j in range(other.size):
                    mass_i = one[i] - (one[i + 1] if i + 1 < one.size else 0.0)
                    mass_j = other[j] - (other[j + 1] if j + 1 < other.size else 0.0)
                    slow += mass_i * mass_j if i + j >= k else 0.0
            assert total.survival[k] == pytest.approx(slow, abs=1e-9)
        assert total.first_bin == first + second + 1
        assert total.resolution == 30 / 50

    def test_sum_never_promises_less_than_simulated_sums_reach(self) -> None:
        rng = np.random.default_rng(5)
        one, other = rng.normal(-8.0, 5.0, 100_000), rng.gumbel(-9.0, 3.0, 100_000)
        total = null_from(one, pairs=10**5).convolve(null_from(other, pairs=10**5))

        for fmr in (0.5, 0.1, 0.01, 0.001):
            reached = np.mean(one + rng.permutation(other) >= total.threshold(fmr))
            assert reached <= fmr * 1.1
            assert reached >= fmr * 0.6


class TestFitNull:
    def test_bootstrap_equals_the_slow_one(self) -> None:
        rng = np.random.default_rng(6)
        first, second = np.triu_indices(8, 1)
        scores_db = rng.normal(0.0, 3.0, first.size)
        pairs = PairScores(scores_db, first, second, 8)

        null = fit_null(pairs, first_bin=-60, n_bins=120, replicates=25, seed=7)

        draws = np.random.default_rng(7)
        slow = []
        for _ in range(25):
            drawn = draws.integers(0, 8, size=8)
            weight = {k: int(np.sum(drawn == k)) for k in range(8)}
            curve = []
            for k in range(120):
                above = total = 0.0
                for i, j, score_db in zip(first, second, scores_db, strict=True):
                    total += weight[i] * weight[j]
                    above += weight[i] * weight[j] if score_db >= (k - 60) * BIN_DB else 0.0
                curve.append(above / total)
            slow.append(curve)
        point = [np.mean(scores_db >= (k - 60) * BIN_DB) for k in range(120)]
        np.testing.assert_allclose(
            null.survival, np.maximum(np.quantile(slow, 0.95, axis=0), point), atol=1e-12
        )
        assert null.pairs == 28

    def test_both_directions_of_a_comparison_are_one_pair(self) -> None:
        pairs = PairScores(np.zeros(2), np.array([0, 1]), np.array([1, 0]), 2)

        assert pairs.pairs == 1

    def test_nothing_to_count_is_an_error(self) -> None:
        empty = PairScores(np.empty(0), np.empty(0, dtype=int), np.empty(0, dtype=int), 2)

        with pytest.raises(ValueError, match="at least one"):
            fit_null(empty, first_bin=0, n_bins=4)


class TestFitCalibration:
    @pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0, 12.0, 15.0])
    def test_unseen_people_match_falsely_at_the_nominal_rate(self, seconds: float) -> None:
        unseen = People(500, seed=8)

        ratio = measured_over_nominal(unseen, GalleryNull.identity(), fmr=0.01, seconds=seconds)

        assert 0.5 <= ratio <= 1.5

    def test_json_brings_back_the_same_numbers(self) -> None:
        again = Calibration.from_dict(json.loads(json.dumps(calibration().to_dict())))

        grid = np.linspace(-1.0, 1.0, 101)
        np.testing.assert_array_equal(again.llr_db(grid, 7.0, 0.6), calibration().llr_db(grid, 7.0, 0.6))
        assert again.null(1).threshold(0.003) == calibration().null(1).threshold(0.003)
        assert again.mated_quantile_db(2) == calibration().mated_quantile_db(2)
        assert again.ceiling_db == calibration().ceiling_db

    def test_other_evidence_classes_than_today_s_are_refused(self) -> None:
        data = calibration().to_dict()
        for part in ("nulls", "llr_histograms", "mated_quantiles_db"):
            data[part] = data[part][:3]

        with pytest.raises(ValueError, match="found 3: calibrate again"):
            Calibration.from_dict(data)

    def test_a_rising_survival_curve_is_refused(self) -> None:
        data = calibration().to_dict()
        data["nulls"][0]["survival_upper_95"][5] = 2.0

        with pytest.raises(ValueError, match="survival curve"):
            Calibration.from_dict(data)

    def test_same_person_in_two_rows_is_no_non_mated_pair(self) -> None:
        people = People(60, seed=9)
        doubled = cohort(people, 12.0)
        names = [f"p{k // 2}" for k in range(60)]

        fitted = fit_calibration(
            [CohortScores(doubled.cosine, doubled.references, doubled.probes, names)], replicates=5
        )

        assert fitted.people == 30
        assert fitted.non_mated_pairs == 30 * 29 // 2

    def test_a_modality_with_one_class_uses_it_for_all(self) -> None:
        fitted = fit_calibration([cohort(People(60, seed=10), 7.0)], replicates=5)

        assert fitted.null(0) is fitted.null(2)

    def test_a_class_without_comparisons_is_refused(self) -> None:
        people = People(40, seed=11)

        with pytest.raises(ValueError, match="without mated"):
            fit_calibration([cohort(people, 3.0), cohort(people, 12.0)], replicates=5)


class TestFused:
    def test_one_modality_shares_nothing(self) -> None:
        assert fused([calibration().null(2)]) is calibration().null(2)

    def test_what_people_share_is_added_once_however_many_modalities(self) -> None:
        null = calibration().null(2)
        both, three = null.convolve(null), null.convolve(null).convolve(null)

        for found, independent in ((fused([null] * 2), both), (fused([null] * 3), three)):
            np.testing.assert_allclose(found.survival, np.minimum(1.0, SHARED * independent.survival))
            assert found.survival[0] == 1.0

    def test_a_shared_attribute_does_not_pass_more_often_than_stated(self) -> None:
        # In both modalities pairs of one kind score higher; half of all pairs are of one kind.
        generator = np.random.default_rng(5)
        same = generator.random(400_000) < 0.5
        one, other = (generator.normal(same * lift, 4.0) for lift in (0.4, 2.4))
        nulls = [null_from(scores, pairs=10**6) for scores in (one, other)]
        independent = nulls[0].convolve(nulls[1])

        for rate in (0.01, 0.003):
            assert np.mean(one + other >= fused(nulls).threshold(rate)) <= rate
        assert np.mean(one + other >= independent.threshold(0.01) - 2 * BIN_DB) > 0.01


class TestGalleryNull:
    def test_few_subjects_change_nothing(self) -> None:
        correction = fit_gallery_null(calibration(), *gallery(People(29, seed=12)))

        assert not correction.corrected
        assert correction.apply(7.5) == 7.5
        assert correction.null(calibration(), 2) is calibration().null(2)
        assert correction.measured_over_nominal is None

    @pytest.mark.parametrize("shift", [0.0, 0.4, 0.7])
    @pytest.mark.parametrize("fmr", [0.01, 0.001])
    def test_corrected_false_matches_are_near_nominal(self, shift: float, fmr: float) -> None:
        correction = fit_gallery_null(calibration(), *gallery(People(200, seed=13, shift=shift)))

        ratio = measured_over_nominal(People(600, seed=14, shift=shift), correction, fmr=fmr)

        assert 0.25 <= ratio <= 1.5

    def test_shift_does_harm_without_correction(self) -> None:
        people = People(200, seed=13, shift=0.7)

        correction = fit_gallery_null(calibration(), *gallery(people))

        assert correction.measured_over_nominal is not None
        assert correction.measured_over_nominal > 5.0
        assert measured_over_nominal(people, GalleryNull.identity(), fmr=0.01) > 5.0

    def test_correction_carries_over_to_shorter_probes(self) -> None:
        correction = fit_gallery_null(calibration(), *gallery(People(200, seed=13, shift=0.7)))

        ratio = measured_over_nominal(People(600, seed=14, shift=0.7), correction, fmr=0.01, seconds=5.0)

        assert ratio <= 2.0

    @pytest.mark.parametrize(("seconds", "lowest"), [(12.0, 0.5), (5.0, 0.0)])
    def test_common_component_leaves_rates_beyond_the_own_pairs_near_nominal(
        self, seconds: float, lowest: float
    ) -> None:
        # What all vectors share spreads the bulk of the scores but hardly their tail: read from the bulk
        # alone, the threshold for 0.1 % let only 0.24 times as many through as reported.
        others = People(600, seed=99, shift=1.2)
        ratios = [
            measured_over_nominal(
                others,
                fit_gallery_null(calibration(), *gallery(People(89, seed=seed, shift=1.2))),
                fmr=0.001,
                seconds=seconds,
            )
            for seed in range(6)
        ]

        assert lowest <= np.mean(ratios) <= 1.5

    @pytest.mark.parametrize("rate", [0.003, 0.001])  # Which the gallery's own pairs do not resolve.
    @pytest.mark.parametrize("k", [0, 1])
    def test_other_classes_are_moved_by_the_same_common_component(self, rate: float, k: int) -> None:
        # A cosine c becomes c + (1 - c)·kappa, with the kappa of the enrolled class at the same rate.
        correction = shifted_correction()
        cosines = np.linspace(-1.0, 1.0, 20_001)

        def kappa(evidence_class: int) -> float:
            curve = calibration().llr_db(
                cosines, CLASS_SECONDS[evidence_class], calibration().llr_map.quality_mean
            )
            corrected_db = correction.null(calibration(), evidence_class).threshold(rate)
            own_db = (calibration().unsoften_db(corrected_db) - correction.offset_db) / correction.slope
            plain_db = calibration().unsoften_db(calibration().null(evidence_class).threshold(rate))
            own, plain = np.interp([float(own_db), float(plain_db)], curve, cosines)
            return float((own - plain) / (1.0 - plain))

        assert kappa(2) > 0.2
        assert kappa(k) == pytest.approx(kappa(2), abs=0.03)

    def test_equal_vectors_of_a_shifted_gallery_keep_a_high_score(self) -> None:
        correction = shifted_correction()

        equal_db = calibration().identical_llr_db(2)

        assert equal_db > calibration().mated_quantile_db(2)
        assert correction.null(calibration(), 2).threshold(0.001) < correction.apply(equal_db)

    @pytest.mark.parametrize("slope", [0.3, 1.0, 4.0])
    @given(rates, st.integers(0, 3))
    def test_no_class_has_a_threshold_more_than_three_db_below_the_bundles(
        self, slope: float, fmr: float, k: int
    ) -> None:
        plain, correction = calibration().null(k), replace(shifted_correction(), slope=slope, offset_db=30.0)

        threshold_db = correction.null(calibration(), k).threshold(max(fmr, plain.resolution))

        lowest_db = calibration().soften_db(
            correction.apply(calibration().unsoften_db(plain.threshold(max(fmr, plain.resolution))) - 3.0)
        )
        assert threshold_db >= lowest_db - BIN_DB - 1e-9

    def test_thirty_subjects_help_already(self) -> None:
        ratios = []
        for seed in range(12):
            correction = fit_gallery_null(calibration(), *gallery(People(30, seed=seed, shift=0.7)))
            ratios.append(measured_over_nominal(People(300, seed=99, shift=0.7), correction, fmr=0.01))

        assert np.mean(ratios) <= 2.0

    def test_order_of_subjects_does_not_matter(self) -> None:
        llr_db, classes = gallery(People(80, seed=15, shift=0.4))
        order = np.random.default_rng(0).permutation(80)

        one = fit_gallery_null(calibration(), llr_db, classes)
        other = fit_gallery_null(calibration(), llr_db[np.ix_(order, order)], classes)

        assert (one.slope, one.offset_db) == (other.slope, other.offset_db)
        assert one.null(calibration(), 2).threshold(0.01) == other.null(calibration(), 2).threshold(0.01)

    @given(st.floats(-1e4, 1e4), st.floats(1e-6, 1e4))
    def test_map_increases_strictly_and_adds_at_most_three_db(self, llr_db: float, step_db: float) -> None:
        correction = shifted_correction()

        low, high = correction.apply([llr_db, llr_db + step_db])

        assert low < high
        assert low <= llr_db + 3.0 + 1e-9

    @given(rates, rates, st.integers(0, 2))
    def test_corrected_null_is_monotone_and_inverts(self, one: float, other: float, k: int) -> None:
        null = shifted_correction().null(calibration(), k)

        assert null.threshold(min(one, other)) >= null.threshold(max(one, other))
        assert 0.0 < null.fmr_at(null.threshold(one)) <= one

    def test_unresolved_rates_fall_back_to_the_bundle(self) -> None:
        null = shifted_correction().null(calibration(), 2)

        assert null.threshold(1e-7) == calibration().null(2).threshold(1e-7)
        assert null.resolution == calibration().null(2).resolution

    def test_absent_comparisons_are_left_out(self) -> None:
        llr_db, classes = gallery(People(80, seed=16))
        llr_db[0, :] = llr_db[:, 0] = np.nan

        correction = fit_gallery_null(calibration(), llr_db, classes)

        assert correction.pairs == 79 * 78 // 2
        assert np.isfinite(correction.slope)

    def test_mixed_lengths_are_compared_with_the_mixture_of_their_nulls(self) -> None:
        people = People(200, seed=17)
        long, short = gallery(people, seconds=12.0), gallery(people, seconds=3.0)
        pick = np.add.outer(np.arange(200), np.arange(200)) % 2 == 0

        correction = fit_gallery_null(
            calibration(), np.where(pick, long[0], short[0]), np.where(pick, long[1], short[1])
        )

        assert 0.8 <= correction.slope <= 1.25
        assert abs(correction.offset_db) <= 2.5


@lru_cache(maxsize=1)
def shifted_correction() -> GalleryNull:
    return fit_gallery_null(calibration(), *gallery(People(200, seed=13, shift=0.7)))


class TestPossibleDuplicates:
    @staticmethod
    def with_duplicates(people: People, count: int) -> tuple[FloatArray, NDArray[np.int64]]:
        people.traits[-count:] = people.traits[:count]
        return gallery(people, seconds=60.0)

    def test_people_enrolled_twice_are_listed(self) -> None:
        llr_db, classes = self.with_duplicates(People(200, seed=18), 10)

        found = set(fit_gallery_null(calibration(), llr_db, classes).possible_duplicates.groups)

        assert found <= {(k, 190 + k) for k in range(10)}
        assert len(found) >= 7

    def test_people_enrolled_twice_do_not_raise_thresholds(self) -> None:
        plain = fit_gallery_null(calibration(), *gallery(People(200, seed=19), seconds=60.0))

        doubled = fit_gallery_null(calibration(), *self.with_duplicates(People(200, seed=19), 40))

        for fmr in (0.01, 0.001):
            raised_db = uncorrected_threshold_db(doubled, fmr) - uncorrected_threshold_db(plain, fmr)
            assert raised_db <= 1.5

    def test_weak_encoder_loses_no_true_non_mated_pair(self) -> None:
        # Under a strong shift the mated 5 % quantile lies inside the non-mated bulk: by that alone hundreds
        # of true non-mated pairs would be left out, and false matches would follow.
        llr_db, classes = gallery(People(300, seed=20, shift=1.2))
        assert np.sum(llr_db > calibration().mated_quantile_db(2)) > 500

        correction = fit_gallery_null(calibration(), llr_db, classes)

        assert correction.possible_duplicates.groups == ()
        assert measured_over_nominal(People(600, seed=21, shift=1.2), correction, fmr=0.01) <= 1.5

    def test_heavy_tail_is_not_taken_for_duplicates(self) -> None:
        rng = np.random.default_rng(22)
        tail = rng.standard_t(4, size=(300, 300)) * 8.0 - 25.0
        heavy = np.triu(tail, 1) + np.triu(tail, 1).T + rng.normal(0.0, 1.0, (300, 300))

        correction = fit_gallery_null(calibration(), heavy, np.full((300, 300), 2))

        score_db = calibration().soften_db(correction.apply(heavy))[~np.eye(300, dtype=bool)]
        threshold_db = correction.null(calibration(), 2).threshold(0.01)
        assert np.mean(score_db >= threshold_db) <= 1.2 * 0.01


class TestNamesOfOnePerson:
    @staticmethod
    def named_again(
        people: int, names: int, *, shift: float, seed: int
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """60 people of whom the first ones are enrolled under several names each."""
        crowd = People(60 + people * (names - 1), seed=seed, shift=shift)
        crowd.traits[60:] = np.repeat(crowd.traits[:people], names - 1, axis=0)
        return gallery(crowd, seconds=60.0)

    @pytest.mark.parametrize("shift", [0.0, 0.7])
    @pytest.mark.parametrize(("people", "names"), [(1, 4), (1, 9), (1, 20), (10, 2), (10, 4)])
    def test_raise_no_threshold(self, people: int, names: int, shift: float) -> None:
        plain = fit_gallery_null(calibration(), *self.named_again(people, 1, shift=shift, seed=31))

        again = fit_gallery_null(calibration(), *self.named_again(people, names, shift=shift, seed=31))

        for fmr in (0.01, 0.001):
            raised_db = uncorrected_threshold_db(again, fmr) - uncorrected_threshold_db(plain, fmr)
            assert abs(raised_db) <= 4.0

    def test_of_another_length_move_nothing_whatever_the_order(self) -> None:
        crowd = People(80, seed=35, shift=0.7)
        crowd.traits[60:] = crowd.traits[:20]
        long, short = gallery(crowd, seconds=60.0), gallery(crowd, seconds=4.0)
        is_short = np.maximum.outer(np.arange(80) >= 60, np.arange(80) >= 60)
        llr_db, classes = (np.where(is_short, *sides) for sides in zip(short, long, strict=True))
        plain = fit_gallery_null(calibration(), llr_db[:60, :60], classes[:60, :60])

        orders = [np.random.default_rng(seed).permutation(80) for seed in range(10)]
        fits = [fit_gallery_null(calibration(), llr_db[np.ix_(o, o)], classes[np.ix_(o, o)]) for o in orders]

        assert np.ptp([fit.offset_db for fit in fits]) <= 1e-6
        assert np.ptp([fit.slope for fit in fits]) <= 1e-9
        assert abs(uncorrected_threshold_db(fits[0], 0.01) - uncorrected_threshold_db(plain, 0.01)) <= 3.0

    def test_are_found_as_one_group(self) -> None:
        again = fit_gallery_null(calibration(), *self.named_again(1, 9, shift=0.0, seed=31))

        assert (0, *range(60, 68)) in again.possible_duplicates.groups

    def test_too_few_people_under_many_names_correct_nothing(self) -> None:
        crowd = People(44, seed=32)
        crowd.traits[:] = np.repeat(crowd.traits[:11], 4, axis=0)

        found = fit_gallery_null(calibration(), *gallery(crowd, seconds=60.0))

        assert not found.corrected
        assert [len(group) for group in found.possible_duplicates.groups] == [4] * 11


class TestAlikeCrowd:
    """Many who resemble each other, but are not one person, look like a sensor's shift."""

    def test_takes_no_more_than_the_limit_from_equal_vectors(self) -> None:
        llr_db, classes = gallery(People(120, seed=33))
        crowd = np.arange(120) >= 60
        llr_db[np.ix_(crowd, crowd)] = np.random.default_rng(0).normal(28.0, 2.0, (60, 60))

        found = fit_gallery_null(calibration(), llr_db, classes)

        equal_db = calibration().identical_llr_db(2)
        assert found.limited
        assert found.apply(equal_db) == pytest.approx(equal_db - FitRules().max_loss_db)
        assert found.null(calibration(), 2).threshold(0.001) <= found.apply(equal_db)

    def test_an_honest_gallery_is_not_limited(self) -> None:
        assert not shifted_correction().limited


class TestJunkEnrollments:
    @pytest.mark.parametrize("share", [0.5, 0.9])
    @pytest.mark.parametrize("fmr", [0.1, 0.01, 0.001, 1e-4])
    def test_junk_lowers_no_threshold_by_more_than_three_db(self, share: float, fmr: float) -> None:
        llr_db, classes = gallery(People(200, seed=23))
        junk = np.arange(200) < share * 200
        llr_db[junk] = llr_db[:, junk] = -250.0

        correction = fit_gallery_null(calibration(), llr_db, classes)

        for k in range(3):
            bundle_db = uncorrected_threshold_db(GalleryNull.identity(), fmr, k)
            assert uncorrected_threshold_db(correction, fmr, k) >= bundle_db - 3.0 - 1e-9

    def test_identical_junk_keeps_the_correction_finite(self) -> None:
        correction = fit_gallery_null(calibration(), np.full((60, 60), 5.0), np.full((60, 60), 2))

        assert np.isfinite(correction.slope)
        assert np.isfinite(correction.offset_db)


def uncorrected_threshold_db(correction: GalleryNull, fmr: float, k: int = 2) -> float:
    """The lowest uncorrected LLR that is a match, found by bisection on the decision itself."""
    threshold_db = correction.null(calibration(), k).threshold(fmr)
    low, high = -1e4, 1e4
    for _ in range(80):
        middle = (low + high) / 2.0
        if float(calibration().soften_db(correction.apply(middle))) >= threshold_db:
            high = middle
        else:
            low = middle
    return high


class TestLlrHistogram:
    def test_quantile_is_interpolated(self) -> None:
        values = np.random.default_rng(24).normal(-30.0, 10.0, 200_000)
        histogram = LlrHistogram.of(values, pairs=200_000)

        for share in (0.5, 0.1, 0.01):
            assert histogram.quantile(share) == pytest.approx(np.quantile(values, 1.0 - share), abs=0.1)

    def test_tail_continues_beyond_the_pairs(self) -> None:
        values = np.random.default_rng(25).exponential(5.0, 100_000)
        histogram = LlrHistogram.of(values, pairs=100_000)

        assert histogram.quantile(1e-7) == pytest.approx(5.0 * np.log(1e7), rel=0.1)

    def test_mixture_weighs_its_parts(self) -> None:
        low = LlrHistogram.of(np.full(100, -10.0), pairs=100)
        high = LlrHistogram.of(np.full(100, 10.0), pairs=60)

        mixture = LlrHistogram.mixture([low, high], [3.0, 1.0])

        assert mixture.shares[0] == pytest.approx(0.75)
        assert mixture.shares[-1] == pytest.approx(0.25)
        assert mixture.pairs == 60
