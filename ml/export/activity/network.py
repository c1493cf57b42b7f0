"""Fitted heads → one ONNX network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.export.onnx_files import IR_VERSION, OPSET, without_origin
from ml.runtime.ecg.activity.head import FusedHead, IntArray, LinearHead

_LEAST = np.array(1e-30, np.float32)
"""Added to a probability so that its logarithm is finite."""


def heads_network(heads: Sequence[FusedHead]) -> bytes:
    """Write heads as one ONNX file.

    Args:
        heads: With the same classes and views. Inputs behind a head's own are ignored by it.

    Returns:
        A network `inputs` float32 (n, n_inputs), `head` float32 (1, n_heads) → `logits`, log probabilities,
        float32 (n, n_classes). NaN marks unknown inputs; `head` is one-hot. Same heads, same bytes.
    """
    from onnx import TensorProto, checker, helper

    n_classes = heads[0].parts[0].bias.size
    graph = _Graph(input_width(heads))
    logits = [
        graph.log_probabilities([(h.parts[k], h.views[k].columns) for h in heads])
        for k in range(len(heads[0].parts))
    ]
    weighted = [
        graph.node("Mul", [one, graph.chosen(np.array([[h.views[k].share / h.temperature] for h in heads]))])
        for k, one in enumerate(logits)
    ]
    graph.mixed(graph.node("Sum", weighted), [head.contamination for head in heads], n_classes, "logits")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "activity_heads",
            [
                helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", graph.n_inputs]),
                helper.make_tensor_value_info("head", TensorProto.FLOAT, [1, len(heads)]),
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", n_classes])],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pulseprint",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def input_width(heads: Sequence[FusedHead]) -> int:
    """Return the number of inputs of the head that reads the most."""
    return 1 + max(int(view.columns.max()) for head in heads for view in head.views)


def activity_network(trunk: bytes, heads: Sequence[FusedHead], n_by_hand: int) -> bytes:
    """Write a trunk and the heads on its features and the hand-crafted ones as one ONNX file.

    Args:
        trunk: An ONNX file `windows` (n, n_samples) → `stages` (n, d).
        heads: As in `heads_network`; their inputs are `by_hand`, then d of the trunk, then `differences`.
        n_by_hand: Number of hand-crafted features.

    Returns:
        A network of float32: `windows` (n_windows, n_samples); `pooling` (n, n_windows), which averages them;
        `by_hand` (n, n_by_hand); `differences` (n, n_rest); `rest` (1, d), subtracted from the trunk's
        features, 0 if unknown; `head` (1, n_heads) → `logits` (n, n_classes), and `trunk` (n, d), the trunk's
        features before the subtraction. Same parts, same bytes.
    """
    from onnx import TensorProto, checker, compose, helper, load_model_from_string

    below = load_model_from_string(trunk)
    above = load_model_from_string(heads_network(heads))
    size = below.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    # The number of windows differs from the number of contexts.
    for value in (below.graph.input[0], below.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "n_windows"
    n_inputs = input_width(heads)

    def port(name: str, *shape: int | str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    between = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("MatMul", ["pooling", "stages"], ["trunk"]),
                helper.make_node("Sub", ["trunk", "rest"], ["moved"]),
                helper.make_node("Concat", ["by_hand", "moved", "differences"], ["inputs"], axis=1),
            ],
            "pooling",
            [
                port("stages", "n_windows", size),
                port("pooling", "n", "n_windows"),
                port("by_hand", "n", n_by_hand),
                port("rest", 1, size),
                port("differences", "n", n_inputs - n_by_hand - size),
            ],
            [port("inputs", "n", n_inputs), port("trunk", "n", size)],
        ),
        opset_imports=above.opset_import,
        ir_version=above.ir_version,
    )
    below = compose.add_prefix(below, "trunk_", rename_inputs=False, rename_outputs=False)
    pooled = compose.merge_models(below, between, io_map=[("stages", "stages")])
    model = compose.merge_models(pooled, above, io_map=[("inputs", "inputs")])
    without_origin(model)
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    """Nodes that compute with the selected one of several heads."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def node(self, operator: str, inputs: Sequence[str], name: str = "") -> str:
        from onnx import helper

        output = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output]))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def chosen(self, rows: NDArray[np.float64]) -> str:
        """The row of the selected head: (1, H) · (H, m) → (1, m)."""
        return self.node("MatMul", ["head", self.constant(rows.astype(np.float32))])

    def log_probabilities(self, parts: Sequence[tuple[LinearHead, IntArray]]) -> str:
        """Log probabilities of one view: for each head the part and the inputs that it reads."""
        n_classes = parts[0][0].bias.size

        def placed(part: Callable[[LinearHead], NDArray[np.float64]]) -> str:
            rows = [_placed(part(one), columns, self.n_inputs) for one, columns in parts]
            return self.chosen(np.stack(rows))

        filled = self.node(
            "Where",
            [self.node("IsNaN", ["inputs"]), placed(lambda h: h.standardization.fill), "inputs"],
        )
        centered = self.node("Sub", [filled, placed(lambda h: h.standardization.mean)])
        scaled = self.node("Mul", [centered, placed(lambda h: 1.0 / h.standardization.scale)])
        raised = self.node("Max", [scaled, placed(lambda h: h.standardization.low)])
        clipped = self.node("Min", [raised, placed(lambda h: h.standardization.high)])
        shape = self.constant(np.array([self.n_inputs, n_classes], np.int64))
        weights = self.node("Reshape", [placed(lambda h: h.weights), shape])
        bias = self.chosen(np.stack([one.bias for one, _ in parts]))
        scores = self.node("Add", [self.node("MatMul", [clipped, weights]), bias])
        return self.mixed(scores, [one.contamination for one, _ in parts], n_classes)

    def mixed(self, scores: str, contaminations: Sequence[float], n_classes: int, name: str = "") -> str:
        """Log probabilities of scores with a contamination."""
        shares = np.array([[share] for share in contaminations])
        informative = self.node("Mul", [self.node("Softmax", [scores]), self.chosen(1.0 - shares)])
        mixture = self.node("Add", [informative, self.chosen(shares / n_classes)])
        return self.node("Log", [self.node("Max", [mixture, self.constant(_LEAST)])], name)


def _placed(part: NDArray[np.float64], columns: IntArray, n_inputs: int) -> NDArray[np.float64]:
    """A part of a head as one row; inputs that it does not read get weight 0."""
    rows = np.zeros((n_inputs, *part.shape[1:]))
    rows[columns] = part
    return rows.reshape(-1)
