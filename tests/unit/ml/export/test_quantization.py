import re

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnxruntime.quantization import QuantType, quantize_static

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from ml.export.onnx_files import cosine_distance, open_session  # noqa: E402
from ml.export.quantization import (  # noqa: E402
    QuantizationConfig,
    QuantizationError,
    _check_rewriting,
    quantization_report,
    quantize_network,
    quantized_nodes,
)
from ml.export.strip_network import strip_network, window_network  # noqa: E402
from ml.models.deit1d import Deit1d, Deit1dConfig  # noqa: E402
from tests.networks import small_encoder, standardized_windows, strip_inputs  # noqa: E402

STRIPS = [
    dict(zip(("windows", "beat"), strip_inputs(4 + seed % 3, seed), strict=True)) for seed in range(20, 32)
]
WINDOWS = [{"windows": standardized_windows(16, seed)} for seed in range(4)]


@pytest.fixture(scope="module")
def weights():
    return strip_network(small_encoder())


@pytest.fixture(scope="module")
def quantized(weights):
    return quantize_network(weights, STRIPS)


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    config = Deit1dConfig(patch_samples=8, width=32, blocks=3, heads=2, embedding_size=16)
    return window_network(Deit1d(config))


def run(weights, windows, beat):
    return ort.InferenceSession(weights).run(None, {"windows": windows, "beat": beat})[0]


class TestQuantizeNetwork:
    def test_vectors_stay_close(self, weights, quantized):
        strips = [strip_inputs(5, seed) for seed in range(2, 12)]

        distances = [cosine_distance(run(weights, *strip), run(quantized, *strip))[0] for strip in strips]

        assert 0.0 < max(distances) < 0.01

    def test_convolutions_have_8_bit_weights(self, quantized):
        graph = onnx.load_model_from_string(quantized).graph
        types = {tensor.name: tensor.data_type for tensor in graph.initializer}
        read_by = {name: node for node in graph.node for name in node.output}

        weights = [read_by[node.input[1]].input[0] for node in graph.node if node.op_type == "Conv"]

        assert {types[name] for name in weights} == {onnx.TensorProto.INT8}

    def test_what_is_fitted_behind_the_network_keeps_its_precision(self, weights, quantized):
        def fitted(file):
            tensors = onnx.load_model_from_string(file).graph.initializer
            return {
                tensor.name: onnx.numpy_helper.to_array(tensor).tobytes()
                for tensor in tensors
                if tensor.name.startswith(("polarity", "windows.map", "beat."))
            }

        assert fitted(quantized) == fitted(weights)
        assert {"polarity", "windows.map.projection", "beat.embeds.projection"} <= set(fitted(weights))

    def test_an_inverted_strip_gives_the_same_bits(self, quantized):
        windows, beat = strip_inputs(5)

        np.testing.assert_array_equal(run(quantized, -windows, -beat), run(quantized, windows, beat))

    def test_same_weights_and_strips_give_the_same_bytes(self, weights, quantized):
        assert quantize_network(weights, STRIPS) == quantized

    def test_tells_nothing_of_the_machine_it_was_made_on(self, quantized):
        assert not re.search(rb"\.py\b|/tmp|/[a-z]+/|site-packages|pkg\.", quantized)

    def test_a_transformer_stays_close_too(self, transformer):
        quantized = quantize_network(transformer, WINDOWS)

        report = quantization_report(transformer, quantized, [{"windows": standardized_windows(20, 9)}])

        assert report.worst_cosine > 0.99
        assert report.int8_kib < 0.5 * report.kib


class TestQuantizedNodes:
    def kinds(self, weights, **config):
        graph = onnx.load_model_from_string(weights).graph
        chosen = set(quantized_nodes(graph, QuantizationConfig(**config)))
        return [node.op_type for node in graph.node if node.name in chosen]

    def test_residual_additions_are_chosen_and_those_of_the_beat_are_not(self, weights):
        kinds = self.kinds(weights)

        assert kinds.count("Add") == 2
        assert kinds.count("MatMul") == 0

    def test_first_convolution_and_matrices_may_be_left(self, weights):
        all_kinds = self.kinds(weights)

        fewer = self.kinds(weights, first_convolutions=False, matrices=False)

        assert all_kinds.count("Conv") - fewer.count("Conv") == 1
        assert (all_kinds.count("Gemm"), fewer.count("Gemm")) == (1, 0)

    def test_products_of_two_activations_are_left(self, transformer):
        graph = onnx.load_model_from_string(transformer).graph
        chosen = set(quantized_nodes(graph, QuantizationConfig()))

        attention = [n for n in graph.node if n.op_type == "MatMul" and n.name not in chosen]

        assert len(attention) == 2 * 3


class TestCheckRewriting:
    def test_a_file_that_onnx_runtime_rewrites_wrongly_is_refused(self, transformer, tmp_path):
        """onnxruntime#27845: quantized outputs of matrices come through a reshape as other numbers."""
        batches = iter(WINDOWS)
        reader = type("Reader", (), {"get_next": lambda self: next(batches, None)})()
        quantize_static(
            onnx.load_model_from_string(transformer),
            tmp_path / "wrong.onnx",
            reader,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )

        with pytest.raises(QuantizationError, match="rewriting"):
            _check_rewriting((tmp_path / "wrong.onnx").read_bytes(), WINDOWS[:1])


class TestQuantizationReport:
    def test_a_network_against_itself_is_equal(self, weights):
        report = quantization_report(weights, weights, STRIPS[:3])

        assert report.worst_cosine == pytest.approx(1.0)
        assert report.kib == report.int8_kib == pytest.approx(len(weights) / 1024)
        assert set(report.to_dict()) >= {"p50_ms", "int8_p50_ms"}

    def test_sessions_run_on_one_thread(self, weights):
        options = open_session(weights).get_session_options()

        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
