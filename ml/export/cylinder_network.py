"""Fitted axes of cylinders → ONNX network: the vector of an impression, and those of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.models.cylinder_vectors import TINY, WORD_FLOOR, CylinderAxes

# Read by every ONNX Runtime since 1.15.
OPSET: Final = 17
IR_VERSION: Final = 8


def cylinder_network(fitted: CylinderAxes) -> bytes:
    """Write the vectors of `CylinderAxes` as one ONNX file.

    Returns:
        A network `cylinders` float32 (n, cells) → `vector` float32 (1, d), `local` float32 (n, l). Same
        weights, same bytes.
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    roots = graph.node("Sqrt", ["cylinders"])
    centered = graph.node("Sub", [roots, graph.constant(fitted.mean)])
    local = _unit(graph, graph.node("MatMul", [centered, graph.constant(fitted.local)]), name="local")
    flat = _vlad(graph, local, fitted)
    shifted = graph.node("Sub", [flat, graph.constant(fitted.center)])
    _unit(graph, graph.node("MatMul", [shifted, graph.constant(fitted.whole)]), name="vector")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "cylinders",
            [helper.make_tensor_value_info("cylinders", TensorProto.FLOAT, ["n", fitted.mean.size])],
            [
                helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, fitted.whole.shape[1]]),
                helper.make_tensor_value_info("local", TensorProto.FLOAT, ["n", fitted.local.shape[1]]),
            ],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pulseprint",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _vlad(graph: _Graph, local: str, fitted: CylinderAxes) -> str:
    """Equals `ml.models.cylinder_vectors.vlad`, as a row."""
    likeness = graph.node("MatMul", [local, graph.constant(fitted.sharpness * fitted.words.T)])
    share = graph.node("Softmax", [likeness], axis=1)  # (n, k)
    summed = graph.node("MatMul", [graph.node("Transpose", [share], perm=[1, 0]), local])  # (k, l)
    totals = graph.node("ReduceSum", [share, graph.constant(np.array([0]))], keepdims=1)  # (1, k)
    weighted = graph.node(
        "Mul", [graph.node("Transpose", [totals], perm=[1, 0]), graph.constant(fitted.words)]
    )
    differences = _unit(graph, graph.node("Sub", [summed, weighted]), floor=WORD_FLOOR)
    row = graph.node("Reshape", [differences, graph.constant(np.array([1, fitted.words.size]))])
    root = graph.node("Sqrt", [graph.node("Abs", [row])])
    return _unit(graph, graph.node("Mul", [graph.node("Sign", [row]), root]))


def _unit(graph: _Graph, rows: str, *, floor: float = TINY, name: str = "") -> str:
    norm = graph.node("ReduceL2", [rows], axes=[1], keepdims=1)
    safe = graph.node("Add", [norm, graph.constant(np.array(floor))])
    return graph.node("Div", [rows, safe], name=name)


class _Graph:
    """Nodes and constants of a network, named by number."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def node(self, operator: str, inputs: Sequence[str], *, name: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: NDArray[np.floating] | NDArray[np.int64]) -> str:
        from onnx import numpy_helper

        kept = value if value.dtype == np.int64 else value.astype(np.float32)
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name
