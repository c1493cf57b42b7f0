import json

import numpy as np
import pytest
from typer.testing import CliRunner

from ml.cli import app
from ml.export.beat_network import beat_lda_network
from ml.runtime.ecg.beat_preparation import BeatPreparation
from ml.runtime.encoder import load_bundle
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.runtime.vector_network import VectorNetwork
from ml.training.calibration_fit import CohortScores, fit_calibration
from tests.bundles import MEAN_BEAT, beat_shapes, fitted_lda

RECIPE = '[bundle]\nid = "tiny"\nversion = "1"\nlicence = "Apache-2.0"\n'


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def trained(tmp_path):
    """What `train` leaves behind."""
    folder = tmp_path / "var" / "train" / "tiny"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(beat_lda_network(fitted_lda()))
    return folder


@pytest.fixture
def calibrated(trained):
    """What `calibrate` leaves behind."""
    network = VectorNetwork(BeatPreparation(MEAN_BEAT), (trained / "model.onnx").read_bytes())
    shapes = beat_shapes(n_people=40)[0].astype("float32")
    vectors = network.finish(network.infer({"beats": shapes}).vectors)
    side = EvidenceArray(np.full(40, 10.0), SECONDS, np.full(40, 0.8))
    calibration = fit_calibration([CohortScores(vectors[0::4] @ vectors[1::4].T, side, side)], replicates=5)
    stage = {
        "weights_sha256": network.sha256,
        "calibration": calibration.to_dict(),
        "calibration_data": {"people": 40, "set": "nobody", "non_mated_pairs": 780},
        "operating_points": [],
    }
    (trained / "calibration.json").write_text(json.dumps(stage))
    return trained


def run(tmp_path, command, recipe):
    arguments = [command, "--recipe", str(recipe), "--var", str(tmp_path / "var")]
    arguments += ["--models", str(tmp_path / "models")] if command == "export" else []
    return CliRunner().invoke(app, arguments)


class TestExport:
    def test_writes_a_bundle_that_loads(self, tmp_path, recipe, calibrated):
        result = run(tmp_path, "export", recipe)

        assert result.exit_code == 0, result.output
        assert load_bundle(tmp_path / "models" / "tiny@1").encoder_id == "tiny@1"

    def test_without_training_says_what_to_run(self, tmp_path, recipe):
        result = run(tmp_path, "export", recipe)

        assert result.exit_code == 1
        assert "run: python -m ml.cli train" in result.output

    def test_without_calibration_says_what_to_run(self, tmp_path, recipe, trained):
        result = run(tmp_path, "export", recipe)

        assert result.exit_code == 1
        assert "run: python -m ml.cli calibrate" in result.output

    def test_a_calibration_of_other_weights_is_refused(self, tmp_path, recipe, calibrated):
        stage = json.loads((calibrated / "calibration.json").read_text())
        (calibrated / "calibration.json").write_text(json.dumps(stage | {"weights_sha256": "0" * 64}))

        result = run(tmp_path, "export", recipe)

        assert result.exit_code == 1
        assert "other weights" in result.output
        assert not (tmp_path / "models").exists()


class TestTrain:
    @pytest.fixture
    def network_recipe(self, recipe):
        pytest.importorskip("torch")
        recipe.write_text(RECIPE + '[network]\nname = "resnet1d"\n[losses.sup_con]\nheat = 2.0\n')
        return recipe

    def test_a_slip_in_a_networks_recipe_shows_at_once(self, tmp_path, network_recipe):
        result = run(tmp_path, "train", network_recipe)

        assert result.exit_code == 1
        assert "heat" in result.output

    @pytest.mark.parametrize("minutes", ["0", "-5"])
    def test_no_time_is_refused(self, tmp_path, network_recipe, minutes):
        result = CliRunner().invoke(app, ["train", "--recipe", str(network_recipe), "--minutes", minutes])

        assert result.exit_code == 2
        assert "--minutes" in result.output

    def test_a_device_that_is_not_there_is_refused(self, recipe):
        pytest.importorskip("torch")
        recipe.write_text(RECIPE + '[network]\nname = "resnet1d"\n[losses.sup_con]\n')

        result = CliRunner().invoke(app, ["train", "--recipe", str(recipe), "--device", "abacus"])

        assert result.exit_code == 1
        assert "device 'abacus' cannot be used" in result.output


class TestRecipe:
    @pytest.mark.parametrize("command", ["train", "calibrate", "export"])
    def test_an_unknown_key_stops_every_stage(self, tmp_path, recipe, command):
        recipe.write_text(RECIPE + "[lda]\ndims = 3\n")

        result = run(tmp_path, command, recipe)

        assert result.exit_code == 1
        assert "unknown keys ['dims']" in result.output
