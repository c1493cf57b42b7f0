from typing import Any

import pytest

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.cells import NOT_MEASURED
from ml.evaluation.pages.virtual_people_tables import best_single, modality_rows, virtual_people
from tests.unit.ml.evaluation.pages.test_targets import results

ALL = "ecg+face+fingerprint"


def share(value: float) -> dict[str, Any]:
    return {"share": value, "interval_95": [value / 2, min(2 * value, 1.0)], "count": round(1160 * value)}


def combination(missed: float, missed_at_equal: float | None = None) -> dict[str, Any]:
    """One combination, in the shape of `benchmarks.virtual_people --json`."""
    return {
        "mated": 1160,
        "non_mated": 11600,
        "failures_to_acquire": 0,
        "fnmr": share(missed),
        "fmr": share(0.0005),
        "identified": share(1.0 - missed),
        "fpir_at_0.01": share(0.005),
        "fpir_at_0.05": share(0.02),
        "eer": missed / 2,
        "fnmr_at_equal_fmr": {
            "0.01": missed / 4,
            "0.001": missed if missed_at_equal is None else missed_at_equal,
        },
    }


def people(fused: float = 0.01, fused_at_equal: float | None = None) -> KeptResults:
    singles = {"ecg": combination(0.2), "face": combination(0.12), "fingerprint": combination(0.04)}
    found = singles | {"ecg+face": combination(0.03), ALL: combination(fused, fused_at_equal)}
    kept = {"encoders": [], "pairings": 20, "people": 58, "clean": found, "noisy": found}
    return results(virtual_people=kept)


class TestVirtualPeople:
    def test_every_combination_has_a_row_for_clean_and_for_noisy_captures(self) -> None:
        lines = virtual_people(people()).splitlines()

        assert [line for line in lines if line.startswith("| noisy | ecg + face |")]
        assert sum(line.startswith(("| clean |", "| noisy |")) for line in lines) == 10
        assert "58 people in each of 20 pairings." in lines
        assert lines[-1].endswith("(images/virtual-people.svg)")

    def test_rates_stand_relative_to_those_stated(self) -> None:
        (row,) = (line for line in virtual_people(people()).splitlines() if "| clean | face |" in line)

        assert row.startswith("| clean | face | 12.0 % (6.0–24.0) | 0.50 (0.25–1.00) | 88.0 % ")

    def test_nothing_measured_is_said(self) -> None:
        assert NOT_MEASURED in virtual_people(results())
        assert "images/" not in virtual_people(results())


class TestBestSingle:
    def test_it_misses_fewest_at_equal_rate(self) -> None:
        assert best_single(people(), "clean") == ("fingerprint", pytest.approx(0.04))

    def test_combinations_are_not_single(self) -> None:
        kept = {"clean": {"ecg+face": combination(0.0), "ecg": combination(0.3)}}

        assert best_single(results(virtual_people=kept), "clean") == ("ecg", pytest.approx(0.3))


class TestModalityRows:
    def test_only_what_was_measured_has_one(self) -> None:
        assert modality_rows(results()) == []
        assert modality_rows(people()) == [("All three (virtual people)", "–", "0.5 %", "12/1160")]
