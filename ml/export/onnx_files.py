"""ONNX files: strip their origin, run on one thread, compare, count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# ONNX Runtime reads it since 1.18.
IR_VERSION = 10
# Written by torch's exporter without conversion; ONNX Runtime reads it since 1.14.
OPSET = 18


def without_origin(model: Any) -> None:
    """Remove notes of source files, stack traces and tools' own passes from a model, in place."""
    model.producer_name, model.producer_version, model.doc_string = "pulseprint", "", ""
    model.ir_version = IR_VERSION
    graph = model.graph
    graph.name = "network"
    del graph.value_info[:]  # Inner shapes, which ONNX Runtime infers by itself.
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]


def open_session(weights: bytes, *, optimized: bool = True) -> Any:
    """Open a network as in service: on one thread of the processor.

    Args:
        weights: An ONNX file.
        optimized: Let ONNX Runtime rewrite the graph.
    """
    import onnxruntime as ort

    levels = ort.GraphOptimizationLevel
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
    return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def cosine_distance(expected: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compare vectors row by row; float32, shape (n, d) → float64, shape (n,)."""
    a, b = expected.astype(np.float64), found.astype(np.float64)
    return np.asarray(1.0 - (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)))


def parameter_count(weights: bytes) -> int:
    """Count the numbers stored in a file, fitted maps included."""
    from onnx import load_model_from_string

    return sum(int(np.prod(tensor.dims)) for tensor in load_model_from_string(weights).graph.initializer)


def multiply_accumulates(weights: bytes, n_windows: int = 1) -> int:
    """Count the products in convolutions and matrix products.

    Args:
        weights: An ONNX file with an input `windows` of shape (n, n_samples).
        n_windows: n.
    """
    from onnx import load_model_from_string, shape_inference

    model = load_model_from_string(weights)
    for value in model.graph.input:
        if value.name == "windows":
            value.type.tensor_type.shape.dim[0].dim_value = n_windows
    graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.value_info, *graph.input, *graph.output):
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    return sum(_products(node, shapes) for node in graph.node)


def _products(node: Any, shapes: dict[str, list[int]]) -> int:
    """Output elements × number of terms in each."""
    if node.op_type not in {"Conv", "MatMul", "Gemm"}:
        return 0
    outputs = int(np.prod(shapes[node.output[0]]))
    if node.op_type == "Conv":
        return outputs * int(np.prod(shapes[node.input[1]][1:]))
    transposed = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
    return outputs * shapes[node.input[0]][0 if transposed else -1]
