"""The decision that verification and identification answer with."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import SkipJsonSchema

from app.api.schemas.base import (
    ResponseSchema,
    absentable,
    decibans_or_none,
    described,
    significant,
)
from app.api.schemas.policies import DecisionPolicyAnswer, decision_policy
from app.domain.policies import Metric
from app.domain.references import Modality
from app.domain.scores import (
    ActivityEstimate,
    ComparisonDecision,
    Decision,
    Fusion,
    ModalityOutcome,
    ModalityStatus,
    Reason,
    ThresholdBasis,
)

_MODALITY = {"modality": "ecg", "status": "used", "score": 31.0, "encoder": "ecg@2026.11"}


class ModalityAnswer(ResponseSchema):
    """One modality's part; values are there only where `status` is `used`.

    Of a non-match `score`, `distance` and `metric` are there only with the scope `read:scores`.
    """

    modality: Modality = described("Which modality.", example="ecg")
    status: ModalityStatus = described("What became of it.", example="used")
    code: str | SkipJsonSchema[None] = absentable("Why it was not used.", example="no_face")
    score: float | SkipJsonSchema[None] = absentable("Its part of the score, decibans.", example=31.0)
    distance: float | SkipJsonSchema[None] = absentable("Distance of the templates.", example=0.27)
    metric: Metric | SkipJsonSchema[None] = absentable("What the distance measures.", example="cosine")
    seconds: float | SkipJsonSchema[None] = absentable("Accepted seconds of the probe (ECG).", example=20.0)
    quality: float | SkipJsonSchema[None] = absentable("Quality of the probe, 0 to 1.", example=0.81)
    encoder: str | SkipJsonSchema[None] = absentable("Encoder that was compared.", example="ecg@2026.11")

    @classmethod
    def of(cls, outcome: ModalityOutcome) -> ModalityAnswer:
        evidence = outcome.evidence
        return cls(
            modality=outcome.modality,
            status=outcome.status,
            code=outcome.code,
            score=decibans_or_none(outcome.score),
            distance=_rounded(outcome.distance),
            metric=outcome.metric,
            seconds=None if evidence is None else _rounded(evidence.seconds),
            quality=None if evidence is None else _rounded(evidence.quality),
            encoder=outcome.encoder,
        )


class ActivityEstimateAnswer(ResponseSchema):
    """What came with the ECG for free."""

    activity: str | SkipJsonSchema[None] = absentable("What the wearer was doing.", example="rest")
    probability: float | SkipJsonSchema[None] = absentable("How probable that is.", example=0.97)
    heart_rate_bpm: float = described("Median heart rate.", example=71.0)

    @classmethod
    def of(cls, estimate: ActivityEstimate | None) -> ActivityEstimateAnswer | None:
        if estimate is None or estimate.heart_rate_bpm is None:
            return None
        return cls(
            activity=estimate.activity,
            probability=_rounded(estimate.probability),
            heart_rate_bpm=round(estimate.heart_rate_bpm, 1),
        )


class DecisionAnswer(ResponseSchema):
    """A comparison decision at a stated error rate; a non-match is an answer, not an error.

    Without the scope `read:scores` a non-match has no score: all that tells how near it came is left out.
    """

    decision: Decision = described("match or non_match.", example="match")
    subject_id: str | None = described("Who matched; null on a non-match.", example="operator-17")
    score: float | SkipJsonSchema[None] = absentable(
        "10·log10 of the likelihood ratio: decibans. Absent on a non-match without `read:scores`.",
        example=31.0,
    )
    threshold: float | None = described(
        "What the score must reach; null under distances. On a non-match without `read:scores`: what a probe"
        " of this length must reach if the enrolled side is no shorter.",
        example=28.4,
    )
    threshold_basis: ThresholdBasis | None = described(
        "Whether the threshold was counted among non-mated pairs of the calibration, or extrapolated because"
        " they are too few for so small a rate; null without a threshold. It follows from the probe, the"
        " policy and the gallery, as the threshold does.",
        example="measured",
    )
    fmr_at_score: float | SkipJsonSchema[None] = absentable(
        "Upper bound of the FMR at this score; absent where the score is.", example=6e-4
    )
    policy: DecisionPolicyAnswer = described(
        "What was demanded.", example={"kind": "calibrated", "fmr": 0.001}
    )
    fusion: Fusion = described("How modalities were combined.", example="score")
    reasons: list[Reason] = described(
        "Why, beyond score and threshold. `uncorrected_sensor`: the gallery has fewer than 30 people, so the"
        " stated rate holds only on sensors like those of the calibration.",
        example=[],
    )
    evidence_ceiling: float | SkipJsonSchema[None] = absentable(
        "What the evidence can reach at most, if below the threshold; decibans.", example=26.0
    )
    shortfall_db: float | SkipJsonSchema[None] = absentable(
        "What was missing; decibans (scope `read:scores`).", example=2.1
    )
    further_seconds: float | SkipJsonSchema[None] = absentable(
        "Estimated further ECG seconds that would do (scope `read:scores`).", example=8.0
    )
    modalities: list[ModalityAnswer] = described("Each modality's part.", example=[_MODALITY])
    activity: ActivityEstimateAnswer | SkipJsonSchema[None] = absentable(
        "Heart rate and activity, if the ECG gave them.", example={"heart_rate_bpm": 71.0}
    )


class VerifyAnswer(DecisionAnswer):
    """The decision on a claim."""

    processing_ms: float = described("From the complete request to this answer.", example=9.8)
    transaction_id: str = described(
        "Names this request in the log.", example="01932f3a-7c1e-7b7a-9d5e-0f6c2f9d7a10"
    )


def decision_fields(decision: ComparisonDecision) -> dict[str, Any]:
    """The fields that verification and identification share."""
    return {
        "decision": decision.decision,
        "subject_id": decision.subject_id,
        "score": decibans_or_none(decision.score),
        "threshold": decibans_or_none(decision.threshold),
        "threshold_basis": decision.threshold_basis,
        "fmr_at_score": None if decision.fmr_at_score is None else significant(decision.fmr_at_score),
        "policy": decision_policy(decision.policy),
        "fusion": decision.fusion,
        "reasons": list(decision.reasons),
        "evidence_ceiling": decibans_or_none(decision.evidence_ceiling),
        "shortfall_db": decibans_or_none(decision.shortfall_db),
        "further_seconds": _rounded(decision.further_amount),
        "modalities": [ModalityAnswer.of(outcome) for outcome in decision.modalities],
        "activity": ActivityEstimateAnswer.of(decision.activity),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0
