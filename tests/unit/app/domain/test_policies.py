import numpy as np
import pytest

from app.domain.errors import UnprocessableError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric, distance, tighten
from app.domain.references import Modality
from ml.runtime.matching.demand import Demand


class TestTighten:
    def test_a_stricter_request_wins(self):
        assert tighten(CalibratedPolicy(fmr=1e-3), fmr=1e-4) == CalibratedPolicy(fmr=1e-4)

    def test_an_equal_request_is_accepted(self):
        assert tighten(CalibratedPolicy(fmr=1e-3), fmr=1e-3) == CalibratedPolicy(fmr=1e-3)

    @pytest.mark.parametrize("wanted", [{"fmr": 2e-3}, {"fpir": 0.02}])
    def test_a_looser_request_is_refused(self, wanted):
        with pytest.raises(UnprocessableError) as refusal:
            tighten(CalibratedPolicy(fmr=1e-3, fpir=0.01), **wanted)

        assert refusal.value.code == "policy_looser"

    def test_required_modalities_and_quality_stay(self):
        policy = CalibratedPolicy(required=frozenset({Modality.ECG}), min_quality=0.5)

        tightened = tighten(policy, fmr=1e-5)

        assert (tightened.required, tightened.quality_floor) == ({Modality.ECG}, 0.5)

    def test_error_rates_do_not_apply_to_distances(self):
        policy = DistancePolicy({Modality.ECG: DistanceRule(Metric.COSINE, 0.3)})

        with pytest.raises(UnprocessableError) as refusal:
            tighten(policy, fmr=1e-4)

        assert refusal.value.code == "invalid_request"


class TestPolicyValidation:
    @pytest.mark.parametrize("wrong", [{"fmr": 0.0}, {"fmr": 1.0}, {"fpir": 0.0}, {"min_quality": 1.1}])
    def test_rates_and_quality_have_ranges(self, wrong):
        with pytest.raises(UnprocessableError):
            CalibratedPolicy(**wrong)

    def test_a_distance_lies_between_0_and_2(self):
        with pytest.raises(UnprocessableError):
            DistanceRule(Metric.EUCLIDEAN, 2.1)


class TestDemand:
    POLICY = CalibratedPolicy(fmr=0.002, fpir=0.01)

    def test_a_claim_is_one_comparison(self):
        assert self.POLICY.of_claim() == Demand(0.002)

    def test_a_search_divides_its_rate_among_the_subjects(self):
        assert self.POLICY.of_search(4) == Demand(0.002, 0.01, 4)


class TestDistance:
    def test_both_metrics_agree_with_the_vectors(self):
        generator = np.random.default_rng(1)
        a, b = (v / np.linalg.norm(v) for v in generator.standard_normal((2, 16)))

        assert distance(a @ b, Metric.EUCLIDEAN) == pytest.approx(np.linalg.norm(a - b))
        assert distance(a @ b, Metric.COSINE) == pytest.approx(1 - a @ b)

    def test_rounding_above_one_is_distance_zero(self):
        assert distance(1.0000001, Metric.EUCLIDEAN) == 0.0
