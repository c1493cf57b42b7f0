from dataclasses import replace

import numpy as np
import pytest

from app.domain.captures import EcgStrip
from app.domain.policies import CalibratedPolicy
from app.domain.references import UNKNOWN_POSITION, Modality, Template
from app.domain.scores import ComparisonDecision, Decision, Reason
from app.matching.comparisons import EncoderComparisons
from app.matching.decision_report import Enrolled, Report
from app.matching.encoded_captures import encode
from app.matching.policy_board import PolicyBoard
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.evidence import SECONDS, Evidence, EvidenceArray
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull
from tests.factories import FS_HZ, strip
from tests.fakes import FakeEncoder, FakeEncoders
from tests.null_samples import GivenSample

ENCODER = FakeEncoder()
ECG_ENROLLED = Enrolled(frozenset({Modality.ECG}))


def decision_at(
    cosine: float,
    seconds: float,
    *,
    enrolled_seconds: float = 20.0,
    fmr: float = 1e-3,
    null: GalleryNull | None = None,
) -> ComparisonDecision:
    """What is told with `read:scores` of one candidate compared at this cosine."""
    shown = Evidence(seconds, SECONDS, 0.9)
    comparisons = EncoderComparisons(
        encoder=ENCODER,
        slots=np.array([0]),
        cosine=np.array([cosine]),
        compared=np.array([1]),
        probe=EvidenceArray.of([shown]),
        enrolled=EvidenceArray.of([Evidence(enrolled_seconds, SECONDS, 0.9)]),
    )
    fitted = GivenSample(ENCODER).fitted() if null is None else FittedNull(ENCODER.calibration, null)
    board = PolicyBoard([(comparisons, fitted)], CalibratedPolicy(fmr=fmr), searched=False)
    capture = EcgStrip(strip(1, seconds=max(seconds, 3.0)).astype(np.float32), FS_HZ)
    captures = encode([capture], FakeEncoders(ENCODER))
    vector = np.zeros(ENCODER.vector_size, dtype=np.float32)
    probes = [TransformedProbe(ENCODER, {UNKNOWN_POSITION: Template(vector, shown)})]
    return Report(board, captures, probes).decision(0, "p1", ECG_ENROLLED, exact=True)


def cosine_short_by(shortfall_db: float, seconds: float) -> float:
    """A cosine that misses the threshold by about so much."""
    cosines = np.linspace(-1.0, 1.0, 4001)
    short = [decision_at(float(c), seconds).shortfall_db or 0.0 for c in cosines[2800:3800:5]]
    return float(cosines[2800:3800:5][int(np.argmin(np.abs(np.array(short) - shortfall_db)))])


class TestFurtherSeconds:
    def test_a_small_shortfall_is_told_in_seconds(self):
        decision = decision_at(cosine_short_by(3.0, 3.5), 3.5)

        assert decision.decision is Decision.NON_MATCH
        assert 0.0 < decision.further_amount <= 11.5

    def test_a_larger_one_takes_longer(self):
        small, large = (decision_at(cosine_short_by(db, 3.5), 3.5).further_amount for db in (1.0, 6.0))

        assert small < large

    def test_what_no_length_can_mend_is_not_promised(self):
        assert decision_at(-0.5, 3.5).further_amount is None

    def test_a_long_probe_needs_something_else_than_length(self):
        assert decision_at(cosine_short_by(3.0, 15.0), 15.0).further_amount is None

    def test_a_short_enrollment_is_not_mended_by_a_longer_probe(self):
        decision = decision_at(cosine_short_by(3.0, 3.5), 10.0, enrolled_seconds=3.5)

        assert decision.decision is Decision.NON_MATCH
        assert decision.further_amount is None

    def test_a_match_lacks_nothing(self):
        decision = decision_at(0.99, 3.5)

        assert (decision.shortfall_db, decision.further_amount) == (None, None)


class TestUncorrectedSensor:
    def test_decisions_of_a_gallery_too_small_to_correct_itself_say_so(self):
        match, other = decision_at(0.99, 15.0), decision_at(0.0, 15.0)

        assert (match.decision, match.reasons) == (Decision.MATCH, (Reason.UNCORRECTED_SENSOR,))
        assert (other.decision, other.reasons) == (Decision.NON_MATCH, (Reason.UNCORRECTED_SENSOR,))

    def test_those_of_a_corrected_one_do_not(self):
        corrected = replace(GalleryNull.identity(subjects=30), corrected=True, own_pairs=(0,) * 4)

        assert decision_at(0.99, 15.0, null=corrected).reasons == ()


class TestEvidenceCeiling:
    def test_a_rate_beyond_the_data_is_named_with_what_can_be_reached(self):
        decision = decision_at(0.99, 15.0, fmr=1e-6)

        assert decision.decision is Decision.NON_MATCH
        assert decision.threshold == pytest.approx(60.0)
        assert decision.evidence_ceiling == pytest.approx(ENCODER.calibration.ceiling_db)
