"""Policies in requests and answers; `kind` tells which."""

from __future__ import annotations

from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.api.schemas.base import OrAbsent, RequestSchema, ResponseSchema, absentable, described, tagged_union
from app.domain.policies import (
    DEFAULT_FMR,
    DEFAULT_FPIR,
    DEFAULT_MIN_QUALITY,
    CalibratedPolicy,
    DistancePolicy,
    DistanceRule,
    Metric,
    Policy,
)
from app.domain.references import Modality

_RULE = {"metric": "cosine", "max_distance": 0.35}
Rate = Annotated[float, Field(gt=0.0, lt=1.0)]


class CalibratedPolicyBody(RequestSchema):
    """Decide at stated error rates."""

    kind: Literal["calibrated"] = Field(
        description="Error rates from measured scores.", examples=["calibrated"]
    )
    fmr: Rate = Field(DEFAULT_FMR, description="False match rate of one comparison.", examples=[0.001])
    fpir: Rate = Field(
        DEFAULT_FPIR, description="False positive identification rate of one search.", examples=[0.01]
    )
    required: list[Modality] = Field(
        default=[],
        max_length=len(Modality),
        description="Modalities a match must have used.",
        examples=[["ecg"]],
    )
    min_quality: float = Field(
        DEFAULT_MIN_QUALITY,
        ge=0.0,
        le=1.0,
        description="Recordings below this quality are rejected.",
        examples=[0.5],
    )

    def to_domain(self) -> Policy:
        return CalibratedPolicy(
            fmr=self.fmr, fpir=self.fpir, required=frozenset(self.required), min_quality=self.min_quality
        )


class DistanceRuleBody(RequestSchema):
    """The largest distance of a match."""

    metric: Metric = Field(description="Distance of unit vectors.", examples=["cosine"])
    max_distance: float = Field(
        ge=0.0, le=2.0, description="Larger distances are non-matches.", examples=[0.35]
    )

    def to_domain(self) -> DistanceRule:
        return DistanceRule(self.metric, self.max_distance)


class DistanceRulesBody(RequestSchema):
    """One rule per modality; at least one."""

    ecg: OrAbsent[DistanceRuleBody] = Field(None, description="Rule for ECG.", examples=[_RULE])
    face: OrAbsent[DistanceRuleBody] = Field(None, description="Rule for faces.", examples=[_RULE])
    fingerprint: OrAbsent[DistanceRuleBody] = Field(
        None, description="Rule for fingerprints.", examples=[_RULE]
    )

    @model_validator(mode="after")
    def _check(self) -> DistanceRulesBody:
        if not self.to_domain():
            raise PydanticCustomError("invalid_request", "Expected a rule for at least one modality.")
        return self

    def to_domain(self) -> dict[Modality, DistanceRule]:
        rules = {Modality.ECG: self.ecg, Modality.FACE: self.face, Modality.FINGERPRINT: self.fingerprint}
        return {modality: rule.to_domain() for modality, rule in rules.items() if rule is not None}


class DistancePolicyBody(RequestSchema):
    """Decide by raw distances: every modality used must pass its own rule."""

    kind: Literal["distance"] = Field(description="Raw distances.", examples=["distance"])
    rules: DistanceRulesBody = Field(
        description="The largest distance per modality.",
        examples=[{"ecg": {"metric": "cosine", "max_distance": 0.35}}],
    )

    def to_domain(self) -> Policy:
        return DistancePolicy(self.rules.to_domain())


PolicyBody = TypeAliasType(
    "PolicyBody",
    Annotated[
        CalibratedPolicyBody | DistancePolicyBody,
        tagged_union("kind", "What a gallery demands of a match.", example="calibrated"),
    ],
)


class CalibratedPolicyAnswer(ResponseSchema):
    """The error rates a gallery decides at."""

    kind: Literal["calibrated"] = described("Error rates from measured scores.", example="calibrated")
    fmr: float = described("False match rate of one comparison.", example=0.001)
    fpir: float = described("False positive identification rate of one search.", example=0.01)
    required: list[Modality] = described("Modalities a match must have used.", example=["ecg"])
    min_quality: float = described("Recordings below this quality are rejected.", example=0.0)


class CalibratedDecisionPolicyAnswer(ResponseSchema):
    """The false match rate that this decision was made at."""

    kind: Literal["calibrated"] = described("Error rates from measured scores.", example="calibrated")
    fmr: float = described("False match rate of one comparison.", example=0.001)


class DistanceRuleAnswer(ResponseSchema):
    """The largest distance of a match."""

    metric: Metric = described("Distance of unit vectors.", example="cosine")
    max_distance: float = described("Larger distances are non-matches.", example=0.35)


class DistanceRulesAnswer(ResponseSchema):
    """Rules by modality."""

    ecg: DistanceRuleAnswer | SkipJsonSchema[None] = absentable(
        "Rule for ECG.", example={"metric": "cosine", "max_distance": 0.35}
    )
    face: DistanceRuleAnswer | SkipJsonSchema[None] = absentable(
        "Rule for faces.", example={"metric": "cosine", "max_distance": 0.4}
    )
    fingerprint: DistanceRuleAnswer | SkipJsonSchema[None] = absentable(
        "Rule for fingerprints.", example={"metric": "euclidean", "max_distance": 0.9}
    )


class DistancePolicyAnswer(ResponseSchema):
    """The raw distances a gallery decides by."""

    kind: Literal["distance"] = described("Raw distances.", example="distance")
    rules: DistanceRulesAnswer = described(
        "The largest distance per modality.", example={"ecg": {"metric": "cosine", "max_distance": 0.35}}
    )

    @classmethod
    def of(cls, policy: DistancePolicy) -> Self:
        rules = {
            modality.value: DistanceRuleAnswer(metric=rule.metric, max_distance=rule.max_distance)
            for modality, rule in policy.rules.items()
        }
        return cls(kind="distance", rules=DistanceRulesAnswer(**rules))


class DistanceDecisionPolicyAnswer(DistancePolicyAnswer):
    """The raw distances that this decision was made by."""


PolicyAnswer = TypeAliasType(
    "PolicyAnswer",
    Annotated[
        CalibratedPolicyAnswer | DistancePolicyAnswer,
        tagged_union("kind", "What a gallery demands of a match.", example="calibrated"),
    ],
)
DecisionPolicyAnswer = TypeAliasType(
    "DecisionPolicyAnswer",
    Annotated[
        CalibratedDecisionPolicyAnswer | DistanceDecisionPolicyAnswer,
        tagged_union("kind", "What a decision was made at.", example="calibrated"),
    ],
)


def gallery_policy(policy: Policy) -> PolicyAnswer:
    """The whole policy, as a gallery publishes it."""
    match policy:
        case CalibratedPolicy():
            return CalibratedPolicyAnswer(
                kind="calibrated",
                fmr=policy.fmr,
                fpir=policy.fpir,
                required=sorted(policy.required),
                min_quality=policy.min_quality,
            )
        case DistancePolicy():
            return DistancePolicyAnswer.of(policy)
        case _:
            assert_never(policy)


def decision_policy(policy: Policy) -> DecisionPolicyAnswer:
    """The part of the policy that a decision states."""
    match policy:
        case CalibratedPolicy():
            return CalibratedDecisionPolicyAnswer(kind="calibrated", fmr=policy.fmr)
        case DistancePolicy():
            return DistanceDecisionPolicyAnswer.of(policy)
        case _:
            assert_never(policy)
