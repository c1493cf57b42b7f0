import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ml.evaluation.protocols.catalogue import PROTOCOLS
from ml.evaluation.protocols.figures import Share
from ml.evaluation.report import (
    NOT_RESOLVABLE,
    ReportTable,
    markdown_of,
    protocol_tables,
    read_baseline,
    share_text,
)
from ml.evaluation.runner import ProtocolResult
from ml.metrics.intervals import wilson
from tests.unit.ml.evaluation.protocols.test_figures import figures

BASELINE = {"name": "BioSPPy", "variants": {"v": {"rank_1_errors": 3, "probes": 89, "eer": 0.0282}}}


@pytest.fixture(scope="module")
def result() -> ProtocolResult:
    return ProtocolResult(PROTOCOLS["E2"], "ecg-beat@1", "0" * 64, (figures(89),), {"v": 0.0})


class TestShareText:
    def test_small_cohorts_are_counts(self) -> None:
        assert share_text(Share(2, 89, wilson(2, 89))) == "2/89 = 2.2% (0.6%–7.8%)"


class TestProtocolTables:
    def test_baseline_stands_beside(self, result: ProtocolResult) -> None:
        recognition = protocol_tables(result, BASELINE)[0]

        assert recognition.columns[-2:] == ("BioSPPy: rank-1 errors", "BioSPPy: EER")
        assert recognition.rows[0][-2:] == ("3/89 = 3.4%", "2.8%")

    def test_without_baseline_there_are_no_empty_columns(self, result: ProtocolResult) -> None:
        assert len(protocol_tables(result, None)[0].columns) == 5

    def test_a_variant_the_baseline_lacks_is_dashed(self, result: ProtocolResult) -> None:
        recognition = protocol_tables(result, {"name": "BioSPPy", "variants": {}})[0]

        assert recognition.rows[0][-2:] == ("–", "–")

    def test_what_the_data_cannot_resolve_is_marked(self, result: ProtocolResult) -> None:
        _, false_matches, false_non_matches, _ = protocol_tables(result, None)

        coarse, fine = false_matches.rows
        assert NOT_RESOLVABLE not in "".join(coarse)
        assert NOT_RESOLVABLE in fine[2]
        assert false_non_matches.rows[1][-1] == NOT_RESOLVABLE

    def test_preset_and_oracle_thresholds_have_columns_of_their_own(self, result: ProtocolResult) -> None:
        columns = protocol_tables(result, None)[2].columns

        assert [c for c in columns if "preset" in c] == ["preset, own null", "preset, without correction"]
        assert "oracle threshold" in columns


class TestReportTable:
    def test_markdown_has_a_line_per_row(self) -> None:
        table = ReportTable("T", ("a", "b"), (("1", "2"), ("3", "4")))

        lines = table.to_markdown().splitlines()

        assert lines[2:] == ["| a | b |", "| --- | --- |", "| 1 | 2 |", "| 3 | 4 |"]

    def test_a_bar_in_a_cell_makes_no_column(self) -> None:
        assert r"| \|Δ\| |" in ReportTable("T", ("|Δ|",), ()).to_markdown()

    def test_terminal_shows_every_cell(self) -> None:
        screen = StringIO()

        ReportTable("Title", ("a",), (("cell",),)).print(Console(file=screen, width=80))

        assert "Title" in screen.getvalue()
        assert "cell" in screen.getvalue()


class TestMarkdownOf:
    def test_an_empty_line_parts_two_tables(self) -> None:
        one = ReportTable("Title", ("a",), (("cell",),))

        assert markdown_of([one, one]).count("| cell |\n\n**Title**") == 1


class TestReadBaseline:
    def test_baseline_is_found_by_protocol(self, tmp_path: Path) -> None:
        stored = {"name": "BioSPPy", "protocols": {"E2": BASELINE["variants"]}}
        (tmp_path / "baselines").mkdir()
        (tmp_path / "baselines" / "biosppy.json").write_text(json.dumps(stored))

        assert read_baseline(tmp_path, "biosppy", "E2") == BASELINE
        assert read_baseline(tmp_path, "biosppy", "E9") is None
        assert read_baseline(tmp_path, "other", "E2") is None
        assert read_baseline(tmp_path, None, "E2") is None
