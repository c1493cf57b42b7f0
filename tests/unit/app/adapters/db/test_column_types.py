"""Column types on SQLite; PostgreSQL's are native and tested with its server."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy.dialects import sqlite

from app.adapters.db.column_types import PolicyJson, UtcTime, UuidBytes
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import Modality

DIALECT = sqlite.dialect()


class TestUtcTime:
    @pytest.mark.parametrize(
        "moment",
        [
            datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(9999, 12, 31, tzinfo=UTC),
            datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ],
    )
    def test_a_moment_comes_back_in_utc_to_the_microsecond(self, moment):
        stored = UtcTime().process_bind_param(moment, DIALECT)
        back = UtcTime().process_result_value(stored, DIALECT)

        assert isinstance(stored, int)
        assert back == moment
        assert back.tzinfo is UTC

    def test_order_is_that_of_time(self):
        early = UtcTime().process_bind_param(datetime(2026, 1, 1, tzinfo=UTC), DIALECT)

        assert early < UtcTime().process_bind_param(datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), DIALECT)

    def test_a_time_without_zone_is_refused(self):
        with pytest.raises(ValueError, match="zone"):
            UtcTime().process_bind_param(datetime(2026, 1, 1), DIALECT)

    def test_nothing_stays_nothing(self):
        assert UtcTime().process_bind_param(None, DIALECT) is None
        assert UtcTime().process_result_value(None, DIALECT) is None


class TestUuidBytes:
    def test_a_uuid_is_sixteen_bytes_in_its_order(self):
        uuid = UUID("01234567-89ab-7def-8123-456789abcdef")

        stored = UuidBytes().process_bind_param(uuid, DIALECT)

        assert stored == bytes.fromhex("0123456789ab7def8123456789abcdef")
        assert UuidBytes().process_result_value(stored, DIALECT) == uuid

    def test_nothing_stays_nothing(self):
        assert UuidBytes().process_bind_param(None, DIALECT) is None
        assert UuidBytes().process_result_value(None, DIALECT) is None


class TestPolicyJson:
    @pytest.mark.parametrize(
        ("policy", "kind"),
        [
            (CalibratedPolicy(fmr=1e-6, required=frozenset({Modality.ECG}), min_quality=0.25), "calibrated"),
            (DistancePolicy({Modality.ECG: DistanceRule(Metric.COSINE, 0.3)}), "distance"),
        ],
    )
    def test_a_policy_comes_back_from_what_json_can_hold(self, policy, kind):
        stored = json.loads(json.dumps(PolicyJson().process_bind_param(policy, DIALECT)))

        assert stored["kind"] == kind
        assert PolicyJson().process_result_value(stored, DIALECT) == policy

    def test_nothing_stays_nothing(self):
        assert PolicyJson().process_bind_param(None, DIALECT) is None
        assert PolicyJson().process_result_value(None, DIALECT) is None
