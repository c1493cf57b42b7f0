import re

import numpy as np
import onnx
import onnxruntime as ort
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from ml.export.onnx_files import IR_VERSION, OPSET  # noqa: E402
from ml.export.strip_network import (  # noqa: E402
    ExportError,
    _check,
    strip_network,
    window_network,
)
from tests.networks import N_BEAT, small_encoder, small_network, strip_inputs  # noqa: E402


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


@pytest.fixture(scope="module")
def weights(encoder):
    return strip_network(encoder)


def run(weights, windows, beat):
    return ort.InferenceSession(weights).run(None, {"windows": windows, "beat": beat})[0]


class TestStripNetwork:
    @pytest.mark.parametrize("n", [1, 2, 7, 32])
    def test_gives_the_vectors_of_torch_for_any_number_of_windows(self, weights, n):
        windows, beat = strip_inputs(n)

        with torch.no_grad():
            expected = small_encoder()(torch.from_numpy(windows), torch.from_numpy(beat)).numpy()

        np.testing.assert_allclose(run(weights, windows, beat), expected, atol=1e-5)

    def test_an_inverted_strip_gives_the_same_bits(self, weights):
        windows, beat = strip_inputs(5)

        np.testing.assert_array_equal(run(weights, -windows, -beat), run(weights, windows, beat))

    def test_keeps_the_contract_of_a_network_bundle(self, weights):
        session = ort.InferenceSession(weights)

        assert {i.name: i.shape for i in session.get_inputs()} == {"windows": ["n", 368], "beat": [1, N_BEAT]}
        assert [o.name for o in session.get_outputs()] == ["vector"]

    def test_tells_nothing_of_the_machine_it_was_made_on(self, weights):
        model = onnx.load_model_from_string(weights)

        assert not re.search(rb"\.py\b|/[a-z]+/|site-packages|stack_trace|pkg\.", weights)
        assert not any(node.metadata_props or node.doc_string for node in model.graph.node)

    def test_is_one_file_that_onnx_runtime_1_22_reads(self, weights):
        model = onnx.load_model_from_string(weights)

        assert (model.opset_import[0].version, model.ir_version) == (OPSET, IR_VERSION)
        assert not any(tensor.external_data for tensor in model.graph.initializer)

    def test_same_weights_give_the_same_bytes(self, weights):
        assert strip_network(small_encoder()) == weights

    def test_leaves_the_encoder_as_it_was(self, encoder, weights):
        torch.testing.assert_close(dict(encoder.state_dict()), dict(small_encoder().state_dict()))

    def test_batch_normalization_behind_convolutions_is_folded(self, weights):
        nodes = onnx.load_model_from_string(weights).graph.node
        convolutions = {node.output[0] for node in nodes if node.op_type == "Conv"}

        behind = [n for n in nodes if n.op_type == "BatchNormalization" and n.input[0] in convolutions]

        assert behind == []

    @pytest.mark.parametrize("weight", [0.0, 1.0])
    def test_a_branch_without_weight_is_not_in_the_graph(self, weights, weight):
        alone = strip_network(small_encoder(window_weight=weight))
        windows, beat = strip_inputs(3)

        changed = (
            run(alone, windows[::-1].copy() ** 2, beat) if weight == 0.0 else run(alone, windows, 2 * beat)
        )

        np.testing.assert_array_equal(changed, run(alone, windows, beat))
        assert len(alone) < len(weights)


class TestWindowNetwork:
    def test_gives_the_embeddings_of_torch(self):
        windows, _ = strip_inputs(6)
        network = small_network()

        found = ort.InferenceSession(window_network(network)).run(None, {"windows": windows})[0]

        with torch.no_grad():
            expected = network.eval()(torch.from_numpy(windows)).embedding.numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


class TestCheck:
    def test_a_file_with_other_vectors_is_refused(self, weights):
        other = small_encoder(seed=1)
        traced = {"windows": torch.zeros(3, 368), "beat": torch.zeros(1, N_BEAT)}

        with pytest.raises(ExportError, match="cosine distance"):
            _check(other, weights, traced)
