import pytest

from ml.evaluation.pages.cells import NOT_MEASURED
from ml.evaluation.pages.recognition_targets import recognition_targets
from ml.evaluation.pages.targets import AIM_MET, MISSED, MUST_MET
from tests.unit.ml.evaluation.pages.test_targets import results
from tests.unit.ml.evaluation.pages.test_virtual_people_tables import people


def row(table: str, *starts: str) -> str:
    (found,) = (line for line in table.splitlines() if line.startswith(f"| {' | '.join(starts)}"))
    return found


class TestRecognitionTargets:
    def test_what_was_not_measured_has_no_verdict(self) -> None:
        for line in recognition_targets(results()).splitlines()[2:]:
            assert line.endswith(f"| {NOT_MEASURED} | – |")

    @pytest.mark.parametrize(("eer", "verdict"), [(0.01, AIM_MET), (0.025, MUST_MET), (0.05, MISSED)])
    def test_fingerprints_are_judged_by_the_mean_of_their_databases(self, eer: float, verdict: str) -> None:
        one = {
            "eer": 0.1,
            "eer_interval_95": [0.0, 0.2],
            "fnmr": [{"fmr": 1e-3, "fnmr": 0.1, "interval_95": [0, 1]}],
        }
        kept = {"F1": {"mean_eer": eer, "worst_eer": 0.1, "one_threshold": one}}

        assert f"**{verdict}**" in row(recognition_targets(results(fingerprint=kept)), "F1", "mean EER")

    @pytest.mark.parametrize(
        ("ratio", "verdict"), [(0.9, AIM_MET), (1.4, MUST_MET), (0.3, MISSED), (1.6, MISSED)]
    )
    def test_stated_rates_may_be_wrong_in_both_directions(self, ratio: float, verdict: str) -> None:
        at = {"measured_over_nominal": ratio, "interval_95": [0.1, 3.0]}
        kept = {"F4": {"galleries": [{"enrolled": 30, "rates": [at]}]}}

        table = recognition_targets(results(galleries=kept))

        assert f"**{verdict}**" in row(table, "F4, galleries of 30", "FMR, measured ÷ nominal")

    @pytest.mark.parametrize(
        ("fused", "told"),
        [
            (0.02, f"2.0; fingerprint alone 4.00%, all three 2.00% | **{MISSED}**"),
            (0.0, "no false non-match left"),
        ],
    )
    def test_fusion_is_compared_with_the_best_single_modality(self, fused: float, told: str) -> None:
        table = recognition_targets(people(0.01, fused))

        assert told in row(table, "virtual people, clean", "FNMR at equal FMR")
