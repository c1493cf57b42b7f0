from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ml.research.dt4ecg.command import dt4ecg
from ml.research.dt4ecg.plan import planned_cells
from tests.unit.ml.research.dt4ecg.grids import keep

app = typer.Typer()
app.command()(dt4ecg)


def reproduce(tmp_path: Path, *options: str) -> tuple[int, str]:
    folders = {"data": "none", "results": "", "pages": "", "var": "var"}
    places = [text for name, path in folders.items() for text in (f"--{name}", str(tmp_path / path))]
    done = CliRunner().invoke(app, [*options, *places], terminal_width=200)
    return done.exit_code, done.output


class TestPlan:
    def test_it_counts_trainings_and_minutes_and_trains_nothing(self, tmp_path: Path) -> None:
        code, text = reproduce(tmp_path, "--plan")

        assert code == 0
        assert f"together, each training once │ {len(planned_cells())} " in text
        assert "no step measured" in text
        assert not list(tmp_path.iterdir())

    def test_what_is_done_is_not_open(self, tmp_path: Path) -> None:
        keep(tmp_path, *planned_cells(["figure-7"])[:3])

        _, text = reproduce(tmp_path, "--plan", "--only", "figure-7")

        row = next(line for line in text.splitlines() if "figure-7" in line)
        assert [cell.strip() for cell in row.split("│")[2:4]] == ["7", "3"]
        assert "what is done took × 0." in " ".join(text.split())


class TestDt4ecg:
    def test_an_unknown_part_is_refused(self, tmp_path: Path) -> None:
        code, text = reproduce(tmp_path, "--only", "table-9")

        assert code == 2
        assert "table-9" in text

    def test_without_the_motion_set_it_says_so(self, tmp_path: Path) -> None:
        code, text = reproduce(tmp_path, "--only", "figure-6")

        assert code == 1
        assert "none" in text

    @pytest.mark.parametrize("options", [("--page",), ("--only", "figure-6")])
    def test_with_nothing_to_train_it_writes_the_page(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        keep(tmp_path, *planned_cells(["figure-6"]))

        code, text = reproduce(tmp_path, *options)

        assert code == 0, text
        assert (tmp_path / "dt4ecg.md").is_file()
        assert (tmp_path / "dt4ecg" / "figure-6-static.svg").is_file()
        assert not (tmp_path / "looks.jsonl").exists()

    @pytest.mark.real_data
    @pytest.mark.slow
    def test_a_limit_leaves_the_rest_for_later(self, tmp_path: Path, data_dir: Path) -> None:
        options = [
            "--only",
            "table-1",
            "--minutes",
            "0.01",
            "--results",
            str(tmp_path),
            "--pages",
            str(tmp_path),
        ]
        options += ["--data", str(data_dir), "--var", str(tmp_path / "var")]

        done = CliRunner().invoke(app, [*options])

        assert done.exit_code == 0, done.output
        assert "0 added, 16 still open" in done.output
