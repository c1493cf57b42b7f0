"""Comparisons and decisions: values that the services compute and the API reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.policies import Metric, Policy
from app.domain.references import Modality
from ml.runtime.evidence import Evidence


class Decision(StrEnum):
    MATCH = "match"
    NON_MATCH = "non_match"


class Fusion(StrEnum):
    SCORE = "score"
    FEATURE = "feature"


class ModalityStatus(StrEnum):
    USED = "used"
    MISSING = "missing"
    REJECTED_QUALITY = "rejected_quality"
    NOT_ENROLLED = "not_enrolled"
    ENCODER_RETIRED = "encoder_retired"
    UNAVAILABLE = "unavailable"
    ERROR = "error"


class Reason(StrEnum):
    """Why a decision is what it is, beyond score and threshold."""

    REQUIRED_MISSING = "required_missing"
    EVIDENCE_CEILING = "evidence_ceiling"
    NO_COMPARISON = "no_comparison"
    UNCORRECTED_SENSOR = "uncorrected_sensor"


class ThresholdBasis(StrEnum):
    """Where a threshold comes from."""

    MEASURED = "measured"  # A counted quantile of non-mated scores.
    EXTRAPOLATED = "extrapolated"  # The calibration has too few pairs; a tail was fitted to their scores.


@dataclass(frozen=True)
class ModalityOutcome:
    """One modality's part in a decision.

    Values are present only where status is `used`; score, distance and metric only if the caller may see
    how near the probe came.
    """

    modality: Modality
    status: ModalityStatus
    code: str | None = None
    score: float | None = None
    distance: float | None = None
    metric: Metric | None = None
    evidence: Evidence | None = None
    encoder: str | None = None


@dataclass(frozen=True)
class ActivityEstimate:
    """What came with the ECG for free."""

    activity: str | None
    probability: float | None
    heart_rate_bpm: float | None


@dataclass(frozen=True)
class ComparisonDecision:
    """Outcome of a verification, or the decided candidate of an identification.

    Attributes:
        score: Decibans, softened, summed over the modalities used; `None` on a non-match for callers
            without `read:scores`, as everything that tells how near the probe came.
        threshold: Decibans; `None` under a distance policy.
        threshold_basis: Where the threshold comes from; `None` without one.
        fmr_at_score: Upper bound of the false match rate if this score were the threshold.
        evidence_ceiling: Decibans that the used modalities can reach at most, when below the threshold.
        shortfall_db: How much was missing on a non-match.
        further_amount: Estimated further evidence of the probe, in its unit, after which the score would
            suffice.
    """

    decision: Decision
    subject_id: str | None
    score: float | None
    threshold: float | None
    fmr_at_score: float | None
    policy: Policy
    modalities: tuple[ModalityOutcome, ...]
    threshold_basis: ThresholdBasis | None = None
    fusion: Fusion = Fusion.SCORE
    reasons: tuple[Reason, ...] = ()
    evidence_ceiling: float | None = None
    shortfall_db: float | None = None
    further_amount: float | None = None
    activity: ActivityEstimate | None = None


@dataclass(frozen=True)
class Candidate:
    """One line of an identification's answer, best first."""

    rank: int
    subject_id: str
    score: float
    modalities: tuple[ModalityOutcome, ...]


@dataclass(frozen=True)
class IdentificationOutcome:
    """Decision on the first candidate, and the list."""

    decision: ComparisonDecision
    gallery_size: int
    fpir: float | None
    candidates: tuple[Candidate, ...]
