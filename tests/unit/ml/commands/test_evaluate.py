from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ml.commands.evaluate import register
from ml.evaluation.kept_results import read_bundle

BUNDLE = Path(__file__).parents[4] / "models" / "ecg-beat@2026.11"


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


class TestEvaluate:
    def test_unknown_protocol_lists_the_known_ones(self, app: typer.Typer) -> None:
        outcome = CliRunner().invoke(app, ["--protocol", "E99"])

        assert outcome.exit_code == 2
        assert "E3-multi" in outcome.output

    def test_a_directory_that_is_no_bundle_is_one_line(self, app: typer.Typer, tmp_path: Path) -> None:
        outcome = CliRunner().invoke(app, ["--protocol", "E2", "--bundle", str(tmp_path)])

        assert outcome.exit_code == 1
        assert len(outcome.output.splitlines()) == 1

    def test_a_set_that_is_not_here_is_one_line(self, app: typer.Typer, tmp_path: Path) -> None:
        outcome = CliRunner().invoke(
            app,
            [
                "--protocol",
                "E4",
                "--bundle",
                str(BUNDLE),
                "--data",
                str(tmp_path),
                "--results",
                str(tmp_path),
            ],
        )

        assert outcome.exit_code == 1
        assert len(outcome.output.splitlines()) == 1
        assert "physionet.org/content/ptbdb" in outcome.output
        assert not list(tmp_path.iterdir())

    @pytest.mark.real_data
    @pytest.mark.parametrize(("protocol", "looks"), [("D2", 0), ("E3", 1), ("evidence-D2", 0), ("E10", 1)])
    def test_results_are_kept_and_looks_at_test_sets_logged(
        self, app: typer.Typer, data_dir: Path, tmp_path: Path, protocol: str, looks: int
    ) -> None:
        options: dict[str, object] = {
            "protocol": protocol,
            "bundle": BUNDLE,
            "data": data_dir,
            "results": tmp_path,
            "pages": tmp_path / "pages",
            "cache": tmp_path / "cache",
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]

        outcome = CliRunner().invoke(app, arguments, catch_exceptions=False)

        assert outcome.exit_code == 0
        assert "rank-1" in outcome.output
        stored = read_bundle(tmp_path, "ecg-beat").protocols[protocol]
        assert stored["encoder"] == "ecg-beat@2026.11"
        assert len(stored["weights_sha256"]) == 64
        page = (tmp_path / "pages" / "tables" / "ecg-beat.md").read_text(encoding="utf-8")
        assert f"## {protocol}\n" in page
        log = tmp_path / "looks.jsonl"
        assert len(log.read_text(encoding="utf-8").splitlines() if log.is_file() else []) == looks
