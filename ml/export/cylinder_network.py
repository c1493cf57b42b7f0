"""Fitted axes of cylinders → ONNX network: the vector of an impression, and those of its parts."""

from __future__ import annotations

import numpy as np

from ml.export.onnx_graph import OnnxGraph, Shapes
from ml.models.cylinder_vectors import TINY, WORD_FLOOR, CylinderAxes


def cylinder_network(fitted: CylinderAxes) -> bytes:
    """Write the vectors of `CylinderAxes` as one ONNX file.

    Returns:
        A network `cylinders` float32 (n, cells) → `vector` float32 (1, d), `local` float32 (n, l). Same
        weights, same bytes.
    """
    graph = OnnxGraph()
    roots = graph.node("Sqrt", ["cylinders"])
    centered = graph.node("Sub", [roots, graph.constant(fitted.mean)])
    local = _unit(graph, graph.node("MatMul", [centered, graph.constant(fitted.local)]), name="local")
    flat = _vlad(graph, local, fitted)
    shifted = graph.node("Sub", [flat, graph.constant(fitted.center)])
    _unit(graph, graph.node("MatMul", [shifted, graph.constant(fitted.whole)]), name="vector")
    inputs: Shapes = {"cylinders": ("n", fitted.mean.size)}
    outputs: Shapes = {"vector": (1, fitted.whole.shape[1]), "local": ("n", fitted.local.shape[1])}
    return graph.written("cylinders", inputs, outputs)


def _vlad(graph: OnnxGraph, local: str, fitted: CylinderAxes) -> str:
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


def _unit(graph: OnnxGraph, rows: str, *, floor: float = TINY, name: str = "") -> str:
    norm = graph.node("ReduceL2", [rows], axes=[1], keepdims=1)
    safe = graph.node("Add", [norm, graph.constant(np.array(floor))])
    return graph.node("Div", [rows, safe], name=name)
