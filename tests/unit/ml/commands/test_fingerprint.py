"""The stages of the fingerprint bundle say what is missing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ml.cli import app

RECIPE = str(Path(__file__).parents[4] / "ml" / "recipes" / "fingerprint.toml")


class TestStages:
    @pytest.mark.parametrize("stage", ["calibrate", "export"])
    def test_a_stage_names_the_one_before_it(self, stage: str, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["fingerprint", stage, "--recipe", RECIPE, "--var", str(tmp_path)])

        assert done.exit_code == 1

    def test_an_unknown_protocol_is_refused(self) -> None:
        done = CliRunner().invoke(app, ["fingerprint", "evaluate", "F9"])

        assert done.exit_code == 1
