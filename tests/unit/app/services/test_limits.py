from dataclasses import replace

import pytest

from app.domain.policies import CalibratedPolicy
from app.domain.references import Modality
from app.services.limits import max_subjects
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import EVIDENCE_CLASSES
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder, fake_calibration

STRICT_BINS = 400


class HigherNulls(FakeEncoder):
    """Non-mated scores of some evidence classes lie beyond what any evidence reaches."""

    def __init__(self, *classes: int) -> None:
        super().__init__()
        self._classes = classes

    @property
    def calibration(self) -> Calibration:
        usual = fake_calibration()
        nulls = [
            replace(null, first_bin=null.first_bin + STRICT_BINS * (k in self._classes))
            for k, null in enumerate(usual.nulls)
        ]
        return replace(usual, nulls=tuple(nulls))


class TestMaxSubjects:
    def test_the_longest_evidence_decides(self) -> None:
        usual = max_subjects(CalibratedPolicy(), FakeEncoders())
        shorter = range(EVIDENCE_CLASSES - 1)

        assert usual != 0
        assert max_subjects(CalibratedPolicy(), FakeEncoders(HigherNulls(*shorter))) == usual
        assert max_subjects(CalibratedPolicy(), FakeEncoders(HigherNulls(EVIDENCE_CLASSES - 1))) == 0

    def test_a_person_of_usual_scores_is_found_among_so_many_and_no_more(self) -> None:
        policy, calibration = CalibratedPolicy(), fake_calibration()
        usual_db = float(calibration.soften_db(20.0))  # The median of the longest evidence.
        null = calibration.null(EVIDENCE_CLASSES - 1)

        most = max_subjects(policy, FakeEncoders())

        assert policy.of_search(most).threshold_db(null) <= usual_db
        assert policy.of_search(most + 1).threshold_db(null) > usual_db

    @pytest.mark.parametrize(("strict", "loose"), [(0.001, 0.01), (0.01, 0.1)])
    def test_a_looser_policy_carries_more_subjects(self, strict: float, loose: float) -> None:
        few, many = (max_subjects(CalibratedPolicy(fpir=fpir), FakeEncoders()) for fpir in (strict, loose))

        assert few is not None
        assert many is None or few < many


class TestModalities:
    def test_two_modalities_carry_more_subjects_than_either(self):
        both = FakeEncoders(FakeEncoder(), FakeFaceEncoder())
        policy = CalibratedPolicy(fmr=0.5, fpir=0.5)

        ecg, face, together = (
            max_subjects(policy, both, frozenset(chosen))
            for chosen in ([Modality.ECG], [Modality.FACE], [Modality.ECG, Modality.FACE])
        )

        assert together is None or together > max(ecg, face)

    def test_what_nobody_is_enrolled_in_does_not_raise_the_limit(self):
        policy = CalibratedPolicy()
        alone = max_subjects(policy, FakeEncoders(), frozenset([Modality.ECG]))

        assert (
            max_subjects(policy, FakeEncoders(FakeEncoder(), FakeFaceEncoder()), frozenset([Modality.ECG]))
            == alone
        )

    def test_an_empty_gallery_is_judged_by_the_weakest_modality(self):
        policy = CalibratedPolicy()
        both = FakeEncoders(FakeEncoder(), FakeFaceEncoder())

        singles = [max_subjects(policy, both, frozenset([m])) for m in (Modality.ECG, Modality.FACE)]

        assert max_subjects(policy, both) == min(singles)
