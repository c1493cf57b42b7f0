from types import SimpleNamespace

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.research.ablations.activity_sensors import part, summary
from ml.runtime.ecg.activity.recognizer import ActivityCall

GROUPS = SimpleNamespace(groups={"rest": ("rest",), "light": ("arm_movements", "walk")})


def call(activity: str | None, probability: float | None) -> ActivityCall:
    return ActivityCall(activity, probability, np.zeros(3), None)


class TestSummary:
    def test_counts_groups_and_what_allowed_no_call(self) -> None:
        calls = [call("rest", 0.9), call("walk", 0.6), call("arm_movements", 0.6), call(None, None)]

        row = summary(GROUPS, "people", calls)

        assert row["called"] == {"rest": 1, "light": 2, "unknown": 1}
        assert row["people"] == 4
        assert row["mean_probability"] == pytest.approx(0.7)


class TestPart:
    def test_is_what_lies_between_two_moments(self) -> None:
        record = EcgRecord("r", "s", 100.0, np.arange(1000, dtype=np.float32))

        assert part(record, (2.0, 5.0)).tolist() == list(range(200, 500))
