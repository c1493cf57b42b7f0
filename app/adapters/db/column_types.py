"""Column types that read alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, LargeBinary
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.domain.errors import PulseprintError, UnprocessableError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric, Policy
from app.domain.references import Modality

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(value: datetime) -> int:
    """Since 1970, of a time with zone."""
    if value.tzinfo is None:
        raise PulseprintError("A time without zone cannot be stored.")
    return (value - _EPOCH) // _MICROSECOND


class UuidBytes(TypeDecorator[UUID]):
    """A UUID: native on PostgreSQL, 16 bytes on SQLite (same order, a third of the text's size)."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> UUID | bytes | None:
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: Any, _dialect: Dialect) -> UUID | None:
        if value is None or isinstance(value, UUID):
            return value
        return UUID(bytes=value)


class UtcTime(TypeDecorator[datetime]):
    """A time with zone, always UTC: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        if dialect.name == "postgresql":
            return value
        return microseconds(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return _EPOCH + timedelta(microseconds=value)


class PolicyJson(TypeDecorator[Policy]):
    """A policy of either kind as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Policy | None, _dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else policy_to_json(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Policy | None:
        """None also for what is no policy: its row is damaged, and must not stop the reading of others."""
        try:
            return None if value is None else _policy_from_json(value)
        except (KeyError, TypeError, ValueError, AttributeError, UnprocessableError):
            return None


def policy_to_json(policy: Policy) -> dict[str, Any]:
    if isinstance(policy, DistancePolicy):
        rules = {
            str(modality): {"metric": str(rule.metric), "max_distance": rule.max_distance}
            for modality, rule in policy.rules.items()
        }
        return {"kind": "distance", "rules": rules}
    return {
        "kind": "calibrated",
        "fmr": policy.fmr,
        "fpir": policy.fpir,
        "required": sorted(str(modality) for modality in policy.required),
        "min_quality": policy.min_quality,
    }


def _policy_from_json(stored: Mapping[str, Any]) -> Policy:
    if stored["kind"] == "distance":
        return DistancePolicy(
            rules={
                Modality(modality): DistanceRule(Metric(rule["metric"]), rule["max_distance"])
                for modality, rule in stored["rules"].items()
            }
        )
    return CalibratedPolicy(
        fmr=stored["fmr"],
        fpir=stored["fpir"],
        required=frozenset(Modality(modality) for modality in stored["required"]),
        min_quality=stored["min_quality"],
    )
