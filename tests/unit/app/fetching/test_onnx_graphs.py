"""Every rewriting leaves the function as it was."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.fetching.onnx_graphs import Graph, dequantized, fold_batch_norms, fold_constants, rewrite_activations

PORTS = {"x": ("n", 2, 8, 8)}, {"y": ("n", 4, 8, 8)}
RNG = np.random.default_rng(11)
CONSTANTS = {
    "w": RNG.normal(size=(4, 2, 3, 3)).astype(np.float32),
    "gamma": RNG.normal(1, 0.2, 4).astype(np.float32),
    "beta": RNG.normal(size=4).astype(np.float32),
    "mean": RNG.normal(size=4).astype(np.float32),
    "variance": RNG.uniform(0.5, 2, 4).astype(np.float32),
    "slope": RNG.uniform(-0.5, 1.5, (4, 1, 1)).astype(np.float32),
}


def network(*, opset: int = 21) -> bytes:
    """Convolution, batch normalization, dropout, PReLU."""
    dropout = helper.make_node("Dropout", ["b"], ["d"])
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["c", "gamma", "beta", "mean", "variance"], ["b"], epsilon=1e-3
        ),
        dropout,
        helper.make_node("PRelu", ["d", "slope"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 8, 8])],
        [numpy_helper.from_array(value, name) for name, value in CONSTANTS.items()],
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()


def run(content: bytes, x: np.ndarray) -> np.ndarray:
    return ort.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


class TestRewriting:
    @pytest.mark.parametrize("opset", [11, 21])
    def test_the_rewritten_network_gives_the_same_numbers(self, opset):
        x = RNG.normal(size=(3, 2, 8, 8)).astype(np.float32)
        graph = Graph.parse(network(opset=opset))
        for step in (fold_constants, fold_batch_norms, rewrite_activations):
            step(graph)

        written = graph.to_bytes(*PORTS)

        kinds = {node.op_type for node in onnx.load_model_from_string(written).graph.node}
        assert kinds == {"Conv", "Relu", "Mul", "Add"}
        assert run(written, x) == pytest.approx(run(network(), x), abs=1e-5)

    def test_it_is_written_alike_every_time(self):
        assert Graph.parse(network()).to_bytes(*PORTS) == Graph.parse(network()).to_bytes(*PORTS)

    def test_a_result_that_is_read_twice_is_not_folded(self):
        graph = Graph.parse(network())
        graph.nodes.insert(2, helper.make_node("Add", ["c", "b"], ["both"]))

        fold_batch_norms(graph)

        assert "BatchNormalization" in {node.op_type for node in graph.nodes}


class TestDequantized:
    def test_one_scale_for_all(self):
        found = dequantized([np.int8([[1, -2], [3, 4]]), np.float32(0.5), np.int8(1)])

        assert found.tolist() == [[0.0, -1.5], [1.0, 1.5]]

    def test_a_scale_for_each_index_of_an_axis(self):
        found = dequantized([np.int8([[1, 2], [3, 4]]), np.float32([1.0, 10.0]), np.int8([0, 0])], axis=0)

        assert found.tolist() == [[1.0, 2.0], [30.0, 40.0]]

    def test_a_scale_for_each_block_and_the_last_may_be_short(self):
        scales, zeros = np.float32([[1.0, 10.0, 100.0]]), np.int8([[0, 0, 1]])

        found = dequantized([np.int8([[1, 2, 3, 4, 5]]), scales, zeros], axis=1, block_size=2)

        assert found.tolist() == [[1.0, 2.0, 30.0, 40.0, 400.0]]
