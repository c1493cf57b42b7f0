from dataclasses import replace

import numpy as np
import pytest

from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import UNKNOWN_POSITION, Modality, Template
from app.domain.scores import ThresholdBasis
from app.matching.comparisons import EncoderComparisons
from app.matching.null_samples import NullSample, SampledSubject
from app.matching.policy_board import PolicyBoard
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import BIN_DB, fused
from ml.runtime.evidence import SECONDS, Evidence, EvidenceArray
from ml.runtime.matching.fitted_null import FittedNull
from tests.fakes import FakeEncoder, FakeFaceEncoder, fake_calibration, unit
from tests.null_samples import GivenSample


class LenientEncoder(FakeEncoder):
    """Its non-mated scores are lower than the other encoder's, and so are its thresholds."""

    @property
    def calibration(self) -> Calibration:
        usual = fake_calibration()
        lower = usual.nulls[0].convolve(usual.nulls[0])
        return replace(usual, nulls=(lower,) * len(usual.nulls))


ECG, FACE, LENIENT = FakeEncoder(), FakeFaceEncoder(), LenientEncoder("2026.12")


def part(
    encoder: FakeEncoder,
    slots: list[int],
    cosines: list[float],
    *,
    seconds: float = 20.0,
    sample: NullSample | None = None,
    compared: int | list[int] = 1,
) -> tuple[EncoderComparisons, FittedNull]:
    n = len(slots)
    unit = encoder.calibration.unit
    both = EvidenceArray(np.full(n, seconds if unit == SECONDS else 1.0), unit, np.full(n, 0.9))
    comparisons = EncoderComparisons(
        slots=np.array(slots, dtype=np.int64),
        cosine=np.array(cosines),
        compared=np.broadcast_to(np.array(compared), n),
        probe=both,
        enrolled=both,
        encoder=encoder,
    )
    if sample is None:
        sample = GivenSample(encoder)
    return comparisons, sample.fitted()


def someone(generator: np.random.Generator, *, spread: float = 1.0) -> SampledSubject:
    """A person of 20 s; a small spread brings everybody close to one direction."""
    vector = unit(1.0 + spread * generator.standard_normal(ECG.vector_size)).astype(np.float32)
    template = Template(vector, Evidence(20.0, SECONDS, 0.9))
    return SampledSubject(template, UNKNOWN_POSITION, {UNKNOWN_POSITION: template})


def softened(encoder: FakeEncoder, cosine: float, seconds: float = 20.0) -> float:
    calibration = encoder.calibration
    return float(calibration.soften_db(calibration.llr_db(cosine, seconds, 0.9)))


class TestScore:
    def test_scores_of_different_modalities_add(self):
        board = PolicyBoard(
            [part(ECG, [1, 2], [0.9, 0.2]), part(FACE, [2, 3], [0.8, 0.7])], CalibratedPolicy(), searched=True
        )

        expected = [
            softened(ECG, 0.9),
            softened(ECG, 0.2) + softened(FACE, 0.8),
            softened(FACE, 0.7),
        ]
        assert board.slots.tolist() == [1, 2, 3]
        assert board.score_db == pytest.approx(expected)

    def test_one_bad_modality_cannot_veto(self):
        board = PolicyBoard(
            [part(ECG, [1], [0.99]), part(FACE, [1], [-1.0])], CalibratedPolicy(), searched=False
        )

        assert board.score_db[0] == pytest.approx(softened(ECG, 0.99) - 20.0, abs=0.1)

    def test_nobody_compared_is_an_empty_board(self):
        assert len(PolicyBoard([], CalibratedPolicy(), searched=True)) == 0


class TestThreshold:
    def test_one_to_one_takes_the_policys_fmr(self):
        board = PolicyBoard([part(ECG, [1], [0.5])], CalibratedPolicy(fmr=0.01), searched=False)

        assert board.threshold(board.basis(0)) == ECG.calibration.null(3).threshold(0.01)

    def test_a_search_divides_fpir_among_the_candidates(self):
        policy = CalibratedPolicy(fmr=0.5, fpir=0.2)
        board = PolicyBoard([part(ECG, list(range(10)), [0.1] * 10)], policy, searched=True)

        assert board.threshold(board.basis(0)) == ECG.calibration.null(3).threshold(0.02)

    def test_a_shortlist_does_not_shrink_the_gallery(self):
        policy = CalibratedPolicy(fmr=0.5, fpir=0.2)
        board = PolicyBoard([part(ECG, [4], [0.1])], policy, searched=True, gallery_size=1000)

        assert board.threshold(board.basis(0)) == ECG.calibration.null(3).threshold(0.0002)

    def test_the_smallest_rate_there_is_can_be_divided(self):
        policy = CalibratedPolicy(fpir=5e-324)
        board = PolicyBoard([part(ECG, [1, 2, 3], [0.1] * 3)], policy, searched=True)

        assert board.threshold(board.basis(0)) > ECG.calibration.ceiling_db
        assert not board.passes.any()

    @pytest.mark.parametrize(
        ("fmr", "basis"),
        [
            (1e-3, ThresholdBasis.MEASURED),
            (1e-4, ThresholdBasis.EXTRAPOLATED),
            (1e-9, ThresholdBasis.EXTRAPOLATED),
        ],
    )
    def test_rates_beyond_the_calibration_s_pairs_are_extrapolated(self, fmr, basis):
        board = PolicyBoard([part(ECG, [1], [0.5])], CalibratedPolicy(fmr=fmr), searched=False)

        assert board.threshold_basis(board.basis(0)) is basis

    def test_an_extrapolated_threshold_can_be_reached(self):
        board = PolicyBoard([part(ECG, [1], [1.0])], CalibratedPolicy(fmr=1e-5), searched=False)

        assert board.passes.all()
        assert board.fmr_at(board.basis(0), board.score_db[0]) <= 1e-5

    def test_used_modalities_nulls_are_convolved(self):
        parts = [part(ECG, [1], [0.5], seconds=4.0), part(FACE, [1], [0.5])]
        board = PolicyBoard(parts, CalibratedPolicy(fmr=0.01), searched=False)

        null = fused([ECG.calibration.null(0), FACE.calibration.null(3)])
        assert board.threshold(board.basis(0)) == null.threshold(0.01)

    def test_candidates_with_other_evidence_have_their_own_threshold(self):
        policy = CalibratedPolicy(fmr=0.01, fpir=0.9)
        board = PolicyBoard(
            [part(ECG, [1, 2, 3], [0.7, 0.7, 0.7]), part(FACE, [2], [0.7])], policy, searched=True
        )

        thresholds = [board.threshold(board.basis(row)) for row in range(3)]
        assert thresholds[0] == thresholds[2] != thresholds[1]
        assert board.passes.tolist() == [
            bool(score >= threshold) for score, threshold in zip(board.score_db, thresholds, strict=True)
        ]


class TestSeveralComparisons:
    """The largest of several cosines is as likely to be large by chance as all of them together."""

    def test_the_false_match_rate_is_divided_among_them(self):
        board = PolicyBoard([part(ECG, [1], [0.5], compared=4)], CalibratedPolicy(fmr=0.04), searched=False)

        assert board.threshold(board.basis(0)) == ECG.calibration.null(3).threshold(0.01)

    def test_so_is_the_share_of_a_candidate_in_a_search(self):
        policy = CalibratedPolicy(fmr=0.9, fpir=0.2)
        board = PolicyBoard([part(ECG, list(range(10)), [0.1] * 10, compared=4)], policy, searched=True)

        assert board.threshold(board.basis(0)) == ECG.calibration.null(3).threshold(0.005)

    def test_over_modalities_their_numbers_multiply(self):
        parts = [part(ECG, [1], [0.5], compared=3), part(FACE, [1], [0.5], compared=2)]
        board = PolicyBoard(parts, CalibratedPolicy(fmr=0.06), searched=False)

        null = fused([ECG.calibration.null(3), FACE.calibration.null(3)])
        assert board.threshold(board.basis(0)) == null.threshold(0.01)

    def test_the_rate_at_a_score_is_that_of_all_of_them(self):
        single = PolicyBoard([part(ECG, [1], [0.5])], CalibratedPolicy(), searched=False)
        several = PolicyBoard([part(ECG, [1], [0.5], compared=4)], CalibratedPolicy(), searched=False)
        threshold_db = several.threshold(several.basis(0))

        of_one = single.fmr_at(single.basis(0), threshold_db)
        assert several.fmr_at(several.basis(0), threshold_db) == pytest.approx(4 * of_one)
        assert several.fmr_at(several.basis(0), threshold_db) <= 1e-3 * (1 + 1e-9)
        assert several.fmr_at(several.basis(0), -20.0) == 1.0

    def test_candidates_compared_more_often_have_their_own_threshold(self):
        policy = CalibratedPolicy(fmr=0.04, fpir=0.99)
        parts = [part(ECG, [1, 2, 3], [0.5] * 3, compared=[1, 4, 1]), part(FACE, [3], [0.5], compared=2)]
        board = PolicyBoard(parts, policy, searched=True)

        thresholds = [board.threshold(board.basis(row)) for row in range(3)]
        assert thresholds[0] < thresholds[1]
        margins_db = board.score_db - board.order.margin_db
        assert margins_db == pytest.approx(np.array(thresholds))

    def test_no_number_of_strangers_comparisons_exceeds_the_rate(self):
        """The largest of k independent non-mated scores, drawn from the bundle's own null."""
        calibration, generator = ECG.calibration, np.random.default_rng(5)
        null = calibration.null(3)
        bins = generator.choice(null.histogram.size, p=null.histogram, size=(200_000, 8))
        largest_db = (null.first_bin + bins.max(axis=1)) * BIN_DB
        board = PolicyBoard([part(ECG, [1], [0.5], compared=8)], CalibratedPolicy(fmr=0.08), searched=False)

        found = np.mean(largest_db >= board.threshold(board.basis(0)))

        assert 0.5 < found / 0.08 < 1.05


class TestFrozenNull:
    def test_a_scored_candidate_is_judged_by_the_null_it_was_scored_with(self):
        """Reports are written after the gallery's lock is released, while others enroll."""
        generator = np.random.default_rng(3)
        sample = GivenSample(ECG)
        sample.fill({slot: someone(generator) for slot in range(40)})
        board = PolicyBoard(
            [part(ECG, [1], [0.5], sample=sample)], CalibratedPolicy(fmr=0.02), searched=False
        )
        before = board.threshold(board.basis(0))

        for slot in range(40, 60):
            sample.put(slot, someone(generator, spread=0.7))

        again = PolicyBoard(
            [part(ECG, [1], [0.5], sample=sample)], CalibratedPolicy(fmr=0.02), searched=False
        )
        assert again.threshold(again.basis(0)) != before
        assert board.threshold(board.basis(0)) == before


class TestRanking:
    def test_candidates_of_different_encoders_compare_by_what_is_above_their_own_threshold(self):
        parts = [part(ECG, [1, 3], [0.75, 0.5]), part(LENIENT, [2, 4], [0.74, 0.6])]
        board = PolicyBoard(parts, CalibratedPolicy(fmr=1e-3, fpir=0.5), searched=True)

        rows = sorted(board.order.best(4).tolist(), key=board.order.key)

        assert board.slots[rows].tolist() == [2, 1, 4, 3]
        assert board.score_db[0] > board.score_db[1]  # Slot 2 scores less than slot 1, and needs less.
        assert board.passes.tolist() == [False, True, False, False]

    def test_best_above_threshold_comes_first(self):
        board = PolicyBoard(
            [part(ECG, [1, 2, 3, 4], [0.1, 0.9, 0.3, 0.6])], CalibratedPolicy(), searched=True
        )

        rows = sorted(board.order.best(2).tolist(), key=board.order.key)

        assert board.slots[rows].tolist() == [2, 4]

    def test_ties_at_the_end_of_the_list_are_all_kept(self):
        board = PolicyBoard(
            [part(ECG, [1, 2, 3, 4], [0.9, 0.3, 0.3, 0.1])], CalibratedPolicy(), searched=True
        )

        assert sorted(board.slots[board.order.best(2)].tolist()) == [1, 2, 3]

    def test_saturated_scores_are_ordered_by_what_lies_behind(self):
        board = PolicyBoard([part(ECG, [1, 2], [0.9999, 1.0])], CalibratedPolicy(), searched=True)

        rows = sorted(board.order.best(2).tolist(), key=board.order.key)

        assert board.slots[rows].tolist() == [2, 1]


class TestDistancePolicy:
    POLICY = DistancePolicy(
        {
            Modality.ECG: DistanceRule(Metric.COSINE, 0.2),
            Modality.FACE: DistanceRule(Metric.EUCLIDEAN, 0.5),
        }
    )

    def test_all_used_modalities_must_pass(self):
        board = PolicyBoard(
            [part(ECG, [1, 2, 3], [0.9, 0.9, 0.7]), part(FACE, [1, 2], [0.95, 0.5])],
            self.POLICY,
            searched=True,
        )

        assert board.passes.tolist() == [True, False, False]

    def test_there_is_no_threshold(self):
        board = PolicyBoard([part(ECG, [1], [0.9])], self.POLICY, searched=True)

        assert board.threshold(board.basis(0)) is None
        assert board.threshold_basis(board.basis(0)) is None

    def test_candidates_that_pass_come_before_higher_scores(self):
        board = PolicyBoard(
            [part(ECG, [1, 2], [0.81, 0.9]), part(FACE, [2], [0.8])], self.POLICY, searched=True
        )

        rows = sorted(board.order.best(2).tolist(), key=board.order.key)

        assert board.score_db[1] > board.score_db[0]
        assert board.slots[rows].tolist() == [1, 2]
