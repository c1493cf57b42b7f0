from functools import cache
from typing import Any

import pytest

from ml.evaluation.kept_results import BundleResults, KeptResults
from ml.evaluation.pages.target_figures import Measured, better_than, rank_1_rate, rate_figure, student_ratio
from ml.evaluation.pages.targets import AIM_MET, MISSED, MUST_MET, TARGETS, Target
from tests.unit.ml.evaluation.protocols.test_figures import figures


def results(*bundles: BundleResults, **parts: object) -> KeptResults:
    empty: dict[str, object] = {
        "baselines": (),
        "comparisons": (),
        "experiments": (),
        "trainings": {},
        "students": {},
        "benchmarks": {},
    }
    return KeptResults(bundles=bundles, **(empty | parts))  # type: ignore[arg-type]


@cache
def kept_figures() -> dict[str, Any]:
    return figures(89).to_dict()


def bundle(protocol: str, variant: str, name: str = "ecg") -> BundleResults:
    kept = kept_figures() | {"name": variant}
    return BundleResults(name, {protocol: {"protocol": protocol, "encoder": f"{name}@1", "variants": [kept]}})


def comparison(protocol: str, a: str, b: str, high: float, ratio: float = -0.2) -> dict[str, object]:
    eer = {"a": 0.02, "b": 0.025, "difference": -0.005, "interval": [-0.01, high], "p": 0.04}
    variant = {
        "variant": "v",
        "probes": 35,
        "wrong_a": 1,
        "wrong_b": 4,
        "eer": eer,
        "rank_1": eer,
        "eer_ratio": ratio,
        "eer_ratio_interval": [-0.3, -0.1],
    }
    return {"comparison": protocol, "a": a, "b": b, "variants": [variant]}


def target(sense: str, must: float, aim: float | None) -> Target:
    return Target("P", "f", "–", must, aim, sense, lambda *_: Measured(0.0, ""))  # type: ignore[arg-type]


class TestVerdict:
    @pytest.mark.parametrize(("value", "verdict"), [(0, AIM_MET), (1, MUST_MET), (2, MISSED)])
    def test_errors_have_a_highest_number(self, value: float, verdict: str) -> None:
        assert target("at most", 1, 0).verdict(value) == verdict

    @pytest.mark.parametrize(("value", "verdict"), [(0.97, AIM_MET), (0.90, MUST_MET), (0.89, MISSED)])
    def test_rates_of_right_answers_have_a_lowest(self, value: float, verdict: str) -> None:
        assert target("at least", 0.90, 0.96).verdict(value) == verdict

    def test_a_limit_is_not_missed_by_its_last_bit(self) -> None:
        assert target("at most", 0.3, None).verdict(0.1 + 0.2) == MUST_MET

    def test_surely_better_excludes_no_difference(self) -> None:
        assert target("below", 0.0, None).verdict(0.0) == MISSED
        assert target("below", 0.0, None).verdict(-1e-6) == MUST_MET


class TestFigures:
    def test_counts_come_with_rate_and_interval(self) -> None:
        own = bundle("E2", "20 s")
        fnmr = own.protocols["E2"]["variants"][0]["rates"][0]["fnmr"]

        found = rate_figure("E2", "20 s", 0.01, "fnmr")(results(own), own)

        assert found is not None
        assert found.value == fnmr["count"]
        assert found.text.startswith(f"{fnmr['count']}/89 = ")

    def test_what_cannot_be_resolved_is_not_measured(self) -> None:
        own = bundle("E2", "20 s")

        assert rate_figure("E2", "20 s", 0.001, "fnmr_oracle")(results(own), own) is None

    def test_rank_1_rate_is_one_minus_the_errors(self) -> None:
        own = bundle("E11", "v")
        errors = own.protocols["E11"]["variants"][0]["rank_1_errors"]

        found = rank_1_rate("E11", "v")(results(own), own)

        assert found is not None
        assert found.value == pytest.approx(1.0 - errors["count"] / errors["n"])

    def test_another_bundle_or_protocol_gives_nothing(self) -> None:
        own = bundle("E11", "v")

        assert rank_1_rate("E2", "v")(results(own), own) is None

    def test_a_comparison_is_found_by_name_without_version(self) -> None:
        own = bundle("E3", "v")
        kept = results(own, comparisons=(comparison("E3", "ecg@1", "BioSPPy", -0.001),))

        found = better_than("E3", "BioSPPy")(kept, own)

        assert found is not None
        assert found.value == -0.001
        assert "wrong 1 against 4 of 35" in found.text
        assert better_than("E3b", "BioSPPy")(kept, own) is None
        assert better_than("E3", "ecg-beat")(kept, own) is None

    def test_students_are_named_in_a_file(self) -> None:
        own = bundle("D1-dev", "v")
        students = {"student": "slim", "teacher": "big", "twin": "slim-no-kd"}
        kept = results(
            own, students=students, comparisons=(comparison("D1-dev", "slim", "slim-no-kd", 0.0, -0.2),)
        )

        found = student_ratio("twin", "D1-dev")(kept, own)

        assert found is not None
        assert found.value == -0.2
        assert student_ratio("teacher", "D1-dev")(kept, own) is None
        assert student_ratio("twin", "D1-dev")(results(own), own) is None


class TestTargets:
    def test_nothing_measured_is_no_error(self) -> None:
        for one in TARGETS:
            assert one.measure(results(), BundleResults("ecg", {"E2": {"encoder": "ecg@1"}})) is None

    def test_aims_are_at_least_as_strict_as_musts(self) -> None:
        for one in TARGETS:
            if one.aim is not None:
                assert one.aim >= one.must if one.sense == "at least" else one.aim <= one.must
