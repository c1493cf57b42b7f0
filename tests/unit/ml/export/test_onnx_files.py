import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from ml.export.onnx_files import (
    cosine_distance,
    multiply_accumulates,
    open_session,
    parameter_count,
    without_origin,
)


@pytest.fixture
def model():
    """A convolution of 3 channels and kernel 5 over 20 samples, then a matrix to 7 numbers."""
    rng = np.random.default_rng(0)
    constants = {
        "kernel": rng.standard_normal((3, 1, 5)).astype(np.float32),
        "matrix": rng.standard_normal((48, 7)).astype(np.float32),
        "rows": np.array([-1, 1, 20]),
        "flat": np.array([-1, 48]),
    }
    nodes = [
        helper.make_node("Reshape", ["windows", "rows"], ["row"], doc_string="File /home/somebody/x.py"),
        helper.make_node("Conv", ["row", "kernel"], ["maps"]),
        helper.make_node("Reshape", ["maps", "flat"], ["flattened"]),
        helper.make_node("MatMul", ["flattened", "matrix"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "made in /home/somebody",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", 20])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", 7])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
        value_info=[helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["n", 3, 16])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"stack_trace": "File /home/somebody/x.py"})
    return model


class TestWithoutOrigin:
    def test_takes_out_every_note_and_leaves_the_function(self, model):
        windows = np.random.default_rng(1).standard_normal((2, 20)).astype(np.float32)
        before = open_session(model.SerializeToString()).run(None, {"windows": windows})[0]

        without_origin(model)

        weights = model.SerializeToString()
        assert b"somebody" not in weights
        np.testing.assert_array_equal(open_session(weights).run(None, {"windows": windows})[0], before)


class TestCounts:
    @pytest.mark.parametrize("n", [1, 6])
    def test_products_of_convolutions_and_matrices_are_counted(self, model, n):
        assert multiply_accumulates(model.SerializeToString(), n) == n * (16 * 3 * 5 + 48 * 7)

    def test_parameters_are_the_numbers_stored(self, model):
        assert parameter_count(model.SerializeToString()) == 3 * 5 + 48 * 7 + 3 + 2


class TestCosineDistance:
    def test_is_0_along_1_across_2_against(self):
        expected = np.array([[2.0, 0.0], [1.0, 0.0], [1.0, 0.0]], dtype=np.float32)
        found = np.array([[1.0, 0.0], [0.0, 3.0], [-1.0, 0.0]], dtype=np.float32)

        np.testing.assert_allclose(cosine_distance(expected, found), [0.0, 1.0, 2.0], atol=1e-7)
