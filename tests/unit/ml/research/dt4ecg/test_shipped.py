import json
from pathlib import Path
from typing import Any

import pytest

from ml.research.dt4ecg.figures import Grid
from ml.research.dt4ecg.shipped import (
    SHIPPED,
    TARGETS,
    comparison_table,
    read_rows,
    shipped_targets_table,
)


def row(
    asked: str = "all windows", context_s: float = 3.0, own_rest: bool = False, **figures: float
) -> dict[str, Any]:
    """As `activity evaluate` keeps it."""
    by_class = {
        "accuracy": 0.75,
        "accuracy_interval": [0.7, 0.8],
        "ece": 0.03,
        "ece_interval": [0.01, 0.05],
        "ece_if_true": 0.012,
    } | figures
    about = {"asked": asked, "context_s": context_s, "own_rest": own_rest}
    return {**about, "classes_5": by_class, "classes_3": by_class}


class TestShippedTargetsTable:
    def test_nothing_measured_is_said_for_every_target(self) -> None:
        table = shipped_targets_table([])

        assert [line[-1] for line in table.rows] == ["not measured"] * len(TARGETS)

    def test_each_target_finds_its_own_row(self) -> None:
        rows = [
            row("all windows", 3.0),
            row("windows without the first 20 s of rest", 30.0, accuracy=0.5),
            row("windows without the first 20 s of rest", 30.0, True, accuracy=0.95),
            row("whole strips (rest: what remains)", 30.0, accuracy=0.85),
        ]

        reached = {line[0]: line[-1] for line in shipped_targets_table(rows).rows}

        assert reached["3 classes, 3 s"] == "75.0% (70.0–80.0%): **must met**"
        assert reached["3 classes, 30 s"] == "not measured"
        assert reached["3 classes, 30 s, resting strip"].startswith("95.0%")
        assert reached["3 classes, whole strip"].endswith("**must met**")
        assert reached["ECE, 5 classes, 3 s"] == "3.00% (1.0–5.0%); true ones: 1.20%: **must met**"

    @pytest.mark.parametrize(
        ("ece", "verdict"), [(0.019, "aim met"), (0.02, "aim met"), (0.05, "must met"), (0.06, "missed")]
    )
    def test_a_calibration_error_is_to_be_small(self, ece: float, verdict: str) -> None:
        assert next(target for target in TARGETS if target.key == "ece").verdict(ece) == verdict


class TestComparisonTable:
    def test_all_kinds_stand_below_each_other(self) -> None:
        compared = {**row(context_s=30.0), "features": "by hand", "classifier": "boosting"}

        table = comparison_table(Grid({}), [row(own_rest=True)], [compared])

        methods = [line[0] for line in table.rows]
        assert methods[0] == "1D-ResNet + SCA, end to end"
        assert methods[-2:] == ["ships, resting strip: all windows", "features by hand: boosting"]
        assert table.rows[-1][1:] == ("30 s", "75.0% (70.0–80.0%)", "75.0% (70.0–80.0%)", "3.00%")


class TestReadRows:
    def test_rows_of_a_file_or_none(self, tmp_path: Path) -> None:
        assert read_rows(tmp_path, SHIPPED) == []

        (tmp_path / "activity").mkdir()
        (tmp_path / SHIPPED).write_text(json.dumps({"rows": [row()]}))

        assert read_rows(tmp_path, SHIPPED) == [row()]
