import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from ml.cli import app
from ml.evaluation.kept_results import (
    RESULTS,
    keep_comparison,
    keep_protocol,
    keep_training,
    read_results,
)
from ml.evaluation.pages.page import PAGE, PAGES, PICTURES, make_page, target_table, write_page
from tests.unit.ml.evaluation.pages.test_targets import comparison, kept_figures

ROOT = Path(__file__).parents[5]


def keep(folder: Path, name: str, content: dict[str, Any]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def protocol(name: str, variant: str, bundle: str) -> dict[str, Any]:
    variants = [kept_figures() | {"name": variant}]
    return {"protocol": name, "summary": "a summary", "encoder": f"{bundle}@1", "variants": variants}


def folders(folder: Path) -> list[str]:
    """Options of `report` that keep all it reads and writes in one folder."""
    return [text for name in ("results", "pages", "root") for text in (f"--{name}", str(folder))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for bundle in ("ecg-beat", "ecg"):
        keep_protocol(tmp_path, bundle, protocol("E2", "20 s", bundle))
    return tmp_path


class TestCommittedPage:
    """Whoever adds a result runs `python -m ml.cli report`."""

    def test_page_and_pictures_are_those_of_the_committed_results(self) -> None:
        page = make_page(read_results(ROOT / RESULTS))

        for name, text in page.files().items():
            assert (ROOT / PAGES / name).read_text(encoding="utf-8") == text, (
                f"{name}: run python -m ml.cli report"
            )
        kept = {path.name for path in (ROOT / PAGES / PICTURES).glob("*.svg")}
        assert kept == set(page.pictures)

    def test_every_picture_is_small_xml(self) -> None:
        for path in (ROOT / PAGES / PICTURES).glob("*.svg"):
            ET.fromstring(path.read_text(encoding="utf-8"))
            assert path.stat().st_size < 60_000


class TestMakePage:
    def test_bundles_stand_side_by_side_the_shipped_one_first(self, folder: Path) -> None:
        columns = target_table(read_results(folder)).columns

        assert columns[-2:] == ("`ecg@1`", "`ecg-beat@1`")

    def test_missed_targets_and_what_was_not_measured_stay(self, folder: Path) -> None:
        rows = target_table(read_results(folder)).rows

        assert any("**missed**" in "".join(row) for row in rows)
        assert any(row[-1] == "–" for row in rows)

    def test_verdicts_are_counted(self, folder: Path) -> None:
        table, text = target_table(read_results(folder)), make_page(read_results(folder)).text
        told = "".join(row[-1] for row in table.rows)
        counts = [told.count(f"**{verdict}**") for verdict in ("aim met", "must met", "missed")]

        assert sum(counts) > 0
        assert "{} aim met, {} must met, {} missed, ".format(*counts) in text.split("`ecg-beat@1`, ")[1]

    def test_a_table_shows_bundles_and_baselines_of_a_variant_together(self, folder: Path) -> None:
        baseline = {"probes": 89, "rank_1_errors": 3, "eer": 0.028, "failures": 0}
        keep(folder, "baselines/x.json", {"name": "BioSPPy", "protocols": {"E2": {"20 s": baseline}}})

        text = make_page(read_results(folder)).text

        assert "| 20 s | BioSPPy | 3/89 = 3.37% | 2.80% | 0 |" in text
        assert text.index("| 20 s | `ecg@1`") < text.index("| 20 s | BioSPPy")

    def test_commands_name_bundle_and_protocol(self, folder: Path) -> None:
        text = make_page(read_results(folder)).text

        assert "python -m ml.cli evaluate --bundle models/ecg@1 --protocol E2\n" in text

    def test_experiments_become_sections(self, folder: Path) -> None:
        experiment = {
            "title": "Losses",
            "question": "Which loss separates people best?",
            "protocol": "D1-dev, one seed",
            "columns": ["loss", "EER"],
            "rows": [["AM", "2.1 %"], ["triplet", 0.03]],
            "note": "One seed tells little.",
            "commands": ["python -m ml.cli train --recipe x.toml"],
        }
        keep(folder, "experiments/losses.json", experiment)

        text = make_page(read_results(folder)).text

        for part in (
            "## Losses",
            "Which loss",
            "| AM | 2.1 % |",
            "| triplet | 0.03 |",
            "One seed",
            "--recipe x.toml",
        ):
            assert part in text

    @pytest.mark.parametrize(("rows", "folded"), [(40, False), (41, True)])
    def test_long_experiments_are_folded(self, folder: Path, rows: int, folded: bool) -> None:
        experiment = {
            "title": "T",
            "question": "Q",
            "protocol": "P",
            "columns": ["c"],
            "rows": [["x"]] * rows,
        }
        keep(folder, "experiments/long.json", experiment)

        text = make_page(read_results(folder)).text

        assert ("<summary>41 rows</summary>" in text) is folded

    def test_comparisons_are_listed_and_judged(self, folder: Path) -> None:
        one = comparison("E3", "ecg@1", "BioSPPy", -0.001)
        one["variants"][0] |= {"only_a_wrong": 0, "only_b_wrong": 3}  # type: ignore[index]
        keep_comparison(folder, one | {"command": "python -m ml.cli compare --protocol E3"})

        text = make_page(read_results(folder)).text

        assert "python -m ml.cli compare --protocol E3" in text
        assert "wrong 1 against 4 of 35 (p 0.040): **must met**" in text

    def test_a_set_that_is_not_here_is_said_until_it_is_measured(self, folder: Path) -> None:
        assert "Not measured: PTB" in make_page(read_results(folder)).text

        keep_protocol(folder, "ecg", protocol("E4", "whole", "ecg"))

        assert "Not measured: PTB" not in make_page(read_results(folder)).text

    def test_speed_comes_from_the_benchmarks(self, folder: Path) -> None:
        keep_protocol(folder, "ecg-edge", protocol("E2", "20 s", "ecg-edge"))
        raw = {"p50_ms": 1.5, "p95_ms": 1.9, "kib": 1000.0}
        line = {"what": "ecg-edge@1: 10 s: p50", "figure": "1.5 ms", "budget": "≤ 2 ms", "raw": raw}
        keep(folder, "benchmarks.json", {"encode-network": {"lines": [line]}})

        text = make_page(read_results(folder)).text

        assert "1.50 ms (p95 1.90): **must met**" in text
        assert "1.02 MB: **must met**" in text
        assert "| ecg-edge@1: 10 s: p50 | 1.5 ms | ≤ 2 ms |" in text

    def test_pictures_are_shown_where_they_are_written(self, folder: Path) -> None:
        epochs = [{"epoch": k, "loss": 1.0 / k, "d1_dev_eer": 10.0 / k} for k in (1, 2)]
        keep_training(folder, "teacher", {"epochs": epochs})

        page = make_page(read_results(folder))

        assert set(page.pictures) == {
            "det-E2.svg",
            "training-teacher-loss.svg",
            "training-teacher-errors.svg",
        }
        for name in page.pictures:
            assert f"]({PICTURES}/{name})" in page.text

    def test_an_empty_folder_still_has_its_targets(self, tmp_path: Path) -> None:
        assert "| D1 | EER | – |" in make_page(read_results(tmp_path)).text


class TestWritePage:
    def test_pictures_no_longer_shown_are_removed(self, folder: Path) -> None:
        write_page(folder, make_page(read_results(folder)))
        (folder / "protocols" / "ecg.jsonl").unlink()
        (folder / PICTURES / "old.svg").write_text("<svg/>")

        write_page(folder, make_page(read_results(folder)))

        assert {path.name for path in (folder / PICTURES).iterdir()} == {"det-E2.svg"}


class TestReport:
    def test_it_writes_the_page_and_names_the_files(self, folder: Path) -> None:
        outcome = CliRunner().invoke(app, ["report", *folders(folder)])

        assert outcome.exit_code == 0
        assert (folder / PAGE).is_file()
        assert (folder / PICTURES / "det-E2.svg").is_file()

    def test_the_log_of_a_training_is_kept_and_drawn(self, folder: Path) -> None:
        log = {"seconds": 9.0, "epochs": [{"epoch": k, "loss": 1.0 / k} for k in (1, 2)]}
        keep(folder, "var/train/teacher/training.json", log)
        options = [
            *folders(folder),
            "--training",
            "teacher",
            "--var",
            str(folder / "var"),
        ]

        outcome = CliRunner().invoke(app, ["report", *options])

        assert outcome.exit_code == 0
        assert read_results(folder).trainings["teacher"] == {"name": "teacher", **log}
        assert (folder / PICTURES / "training-teacher-loss.svg").is_file()

    def test_a_training_that_is_not_there_is_refused(self, folder: Path) -> None:
        options = [
            *folders(folder),
            "--training",
            "nobody",
            "--var",
            str(folder),
        ]

        outcome = CliRunner().invoke(app, ["report", *options])

        assert outcome.exit_code == 2
        assert "nobody" in outcome.output
        assert not (folder / PAGE).exists()
