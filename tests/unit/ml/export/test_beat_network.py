import json

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from ml.export.beat_network import beat_lda_network
from ml.export.onnx_graph import IR_VERSION, OPSET
from tests.bundles import beat_shapes, fitted_lda, write_tiny_bundle


@pytest.fixture(scope="module")
def network():
    return beat_lda_network(fitted_lda())


def run(network, shapes):
    return ort.InferenceSession(network).run(None, {"beats": shapes.astype(np.float32)})[0]


class TestBeatLdaNetwork:
    def test_gives_the_vectors_of_the_fit(self, network):
        shapes, _ = beat_shapes()

        np.testing.assert_allclose(run(network, shapes), fitted_lda().vectors(shapes), atol=2e-5)

    def test_inverted_beats_give_the_same_bits(self, network):
        shapes, _ = beat_shapes()

        np.testing.assert_array_equal(run(network, -shapes), run(network, shapes))

    def test_same_weights_give_the_same_bytes(self, network):
        assert beat_lda_network(fitted_lda()) == network

    def test_a_batch_gives_what_single_beats_give(self, network):
        shapes, _ = beat_shapes()

        singles = np.concatenate([run(network, shape[None]) for shape in shapes[:5]])

        np.testing.assert_allclose(run(network, shapes[:5]), singles, atol=1e-6)

    def test_keeps_to_an_old_operator_set_and_one_file(self, network):
        model = onnx.load_model_from_string(network)

        assert (model.opset_import[0].version, model.ir_version) == (OPSET, IR_VERSION)
        assert not any(tensor.external_data for tensor in model.graph.initializer)


class TestWriteBundle:
    def test_card_says_what_the_mated_scores_were(self, tmp_path):
        encoder = write_tiny_bundle(tmp_path)

        assert "same recording" in encoder.info.card

    def test_names_recipe_and_revision(self, tmp_path):
        info = write_tiny_bundle(tmp_path).info

        assert info.recipe_sha256 == "0" * 64
        assert info.git_revision

    def test_writing_twice_gives_the_same_bytes(self, tmp_path):
        first = write_tiny_bundle(tmp_path / "a").info
        second = write_tiny_bundle(tmp_path / "b").info

        assert first.files == second.files
        assert first.calibration == second.calibration

    def test_bundle_json_is_small(self, tmp_path):
        write_tiny_bundle(tmp_path)
        text = (tmp_path / "tiny@1" / "bundle.json").read_text()

        assert len(text) < 200_000
        assert json.loads(text)["kind"] == "ecg-mean-beat"
