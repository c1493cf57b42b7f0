import pytest

from ml.research.dt4ecg.figures import Grid
from ml.research.dt4ecg.targets import TARGETS, GridTarget, targets_table


class TestVerdict:
    @pytest.mark.parametrize(
        ("value", "verdict"), [(0.99, "aim met"), (0.98, "aim met"), (0.97, "must met"), (0.95, "missed")]
    )
    def test_limits_belong_to_what_reaches_them(self, value: float, verdict: str) -> None:
        assert GridTarget("A1", "activity", "t", "–", 0.96, 0.98).verdict(value) == verdict

    def test_what_is_only_printed_is_not_judged(self) -> None:
        assert GridTarget("A2e", "activity", "t", "–").verdict(0.1) == "printed"


class TestTargetsTable:
    def test_every_target_is_there_before_anything_is_measured(self) -> None:
        rows = targets_table(Grid({})).rows

        assert len(rows) == len(TARGETS)
        assert {cell for row in rows for cell in row[-2:]} == {"not measured"}
