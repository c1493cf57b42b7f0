"""Fitted heads → one ONNX network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.activity.head import LinearHead
from ml.export import IR_VERSION, OPSET

_LEAST = np.array(1e-30, np.float32)
"""Of a probability: its logarithm is a number."""


def heads_network(heads: Sequence[LinearHead]) -> bytes:
    """Write heads as one ONNX file.

    Args:
        heads: Of equally many classes. One that reads fewer inputs than another does not look at those behind
            its own.

    Returns:
        A network `inputs` float32 (n, n_inputs), `head` float32 (1, n_heads) → `logits`, log probabilities,
        float32 (n, n_classes); NaN among the inputs is not known, `head` is 1 at the head to use and 0
        elsewhere. Same heads, same bytes.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    n_inputs, n_classes = max(len(head.weights) for head in heads), heads[0].bias.size
    nodes: list[Any] = []
    initializers: list[Any] = []

    def node(operator: str, inputs: Sequence[str], name: str = "") -> str:
        output = name or f"{operator.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(operator, list(inputs), [output]))
        return output

    def constant(value: NDArray[Any]) -> str:
        initializers.append(
            numpy_helper.from_array(np.ascontiguousarray(value), f"constant_{len(initializers)}")
        )
        return str(initializers[-1].name)

    def chosen(part: Callable[[LinearHead], NDArray[np.float64]]) -> str:
        rows = np.stack([_padded(part(head), n_inputs) for head in heads])
        return node("MatMul", ["head", constant(rows.astype(np.float32))])  # (1, H) · (H, m) → (1, m)

    unknown = node("IsNaN", ["inputs"])
    filled = node("Where", [unknown, chosen(lambda h: h.standardisation.fill), "inputs"])
    centred = node("Sub", [filled, chosen(lambda h: h.standardisation.mean)])
    scaled = node("Mul", [centred, chosen(lambda h: 1.0 / h.standardisation.scale)])
    raised = node("Max", [scaled, chosen(lambda h: h.standardisation.low)])
    clipped = node("Min", [raised, chosen(lambda h: h.standardisation.high)])
    shape = constant(np.array([n_inputs, n_classes], np.int64))
    weights = node("Reshape", [chosen(lambda h: h.weights), shape])
    biases = np.stack([head.bias for head in heads]).astype(np.float32)
    bias = node("MatMul", ["head", constant(biases)])
    sure = node("Softmax", [node("Add", [node("MatMul", [clipped, weights]), bias])])
    shares = np.array([[head.contamination] for head in heads], np.float32)
    told = node("Mul", [sure, node("MatMul", ["head", constant(1.0 - shares)])])
    untold = node("MatMul", ["head", constant(shares / n_classes)])
    node("Log", [node("Max", [node("Add", [told, untold]), constant(_LEAST)])], name="logits")
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "activity_heads",
            [
                helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", n_inputs]),
                helper.make_tensor_value_info("head", TensorProto.FLOAT, [1, len(heads)]),
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", n_classes])],
            initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pulseprint",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _padded(part: NDArray[np.float64], n_inputs: int) -> NDArray[np.float64]:
    """A part of a head as one row; inputs that the head does not read weigh nothing."""
    rows = np.zeros((n_inputs, *part.shape[1:]))
    rows[: len(part)] = part
    return rows.reshape(-1)
