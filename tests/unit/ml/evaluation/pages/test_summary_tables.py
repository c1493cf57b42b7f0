import pytest

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.summary_tables import NOT_MEASURED, summary_tables
from tests.unit.ml.evaluation.pages.test_targets import bundle, kept_figures, results

EMPTY = results()


def speed(p50_ms: float) -> KeptResults:
    line = {
        "what": "POST /verify, 10,000 subjects, SQLite, one client: p50",
        "raw": {"subjects": 10_000, "p50_ms": p50_ms},
    }
    run = {"at": "2026-11-20T18:30:36+00:00", "revision": "abc-dirty", "machine": {"cpu": "A CPU"}}
    return results(benchmarks={"verbs": {"run": run, "lines": [line]}})


class TestSummaryTables:
    @pytest.mark.parametrize("name", summary_tables(EMPTY))
    def test_without_results_every_table_has_a_head(self, name: str) -> None:
        assert "\n|---|" in summary_tables(EMPTY)[name]

    def test_accuracy_is_that_of_the_default_encoder(self) -> None:
        found = kept_figures()
        table = summary_tables(results(bundle("E2", "20 s"), bundle("E2", "20 s", "ecg-beat")))

        row = table["accuracy-summary"].splitlines()[2]

        assert "{count}/{n}".format(**found["rank_1_errors"]) in row
        assert f"{100 * found['eer']:.1f} % (" in row

    def test_what_was_not_measured_says_so(self) -> None:
        assert NOT_MEASURED in summary_tables(EMPTY)["accuracy-summary"]
        assert NOT_MEASURED in summary_tables(speed(7.81))["speed-summary"]

    def test_speed_names_day_machine_and_revision(self) -> None:
        row = summary_tables(speed(7.81))["speed-summary"].splitlines()[2]

        assert row.startswith("| 10,000 | 7.8 ms |")
        assert row.endswith("| 2026-11-20, A CPU, revision abc |")

    def test_bundles_stand_side_by_side(self) -> None:
        table = summary_tables(results(bundle("E2", "20 s"), bundle("E2", "20 s", "ecg-beat")))["accuracy"]

        assert "`ecg`: errors | EER | `ecg-beat`: errors | EER" in table

    def test_activity_is_sorted_by_length_and_resting_strip(self) -> None:
        def row(asked: str, seconds: float, rest: bool) -> dict[str, object]:
            figures = {"accuracy": 0.8, "accuracy_interval": [0.7, 0.9], "ece": 0.02}
            return {
                "asked": asked,
                "context_s": seconds,
                "own_rest": rest,
                "classes_3": figures,
                "classes_5": figures,
            }

        kept = [row("whole strips", 30.0, False), row("windows without the first 20 s", 3.0, True)]
        table = summary_tables(results(activity={"a3": {"rows": kept}}))["activity"]

        assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == ["| 3 s", "| whole strip"]
