import pytest
from typer.testing import CliRunner

from ml.commands.activity import stages
from ml.export.activity.stages import save_features


class TestStages:
    @pytest.mark.parametrize("stage", ["features", "compare"])
    def test_data_that_are_not_there_are_named_in_one_line(self, stage, features, tmp_path):
        save_features(tmp_path / "activity", b"weights", features, [])

        result = CliRunner().invoke(
            stages, [stage, "--data", str(tmp_path / "absent"), "--var", str(tmp_path)]
        )

        assert result.exit_code == 1
        assert len(result.output.strip().splitlines()) == 1
        assert "absent/ecg/kalouskova_motion" in result.output

    @pytest.mark.parametrize("stage", ["evaluate", "export"])
    def test_missing_features_name_the_command_to_run(self, stage, tmp_path):
        result = CliRunner().invoke(stages, [stage, "--var", str(tmp_path)])

        assert result.exit_code == 1
        assert "run: python -m ml.cli activity features" in result.output
