"""Fitted discriminant axes → ONNX network."""

from __future__ import annotations

import numpy as np

from ml.export.onnx_graph import OnnxGraph
from ml.models.beat_lda import BeatLda
from ml.models.beat_views import WHOLE_VARIANCE_FLOOR


def beat_lda_network(fitted: BeatLda) -> bytes:
    """Write the whole encoder as one ONNX file: turn upright, project, give unit norm.

    Args:
        fitted: Polarity, mean and projection.

    Returns:
        A network `beats` float32 (n, n_samples) → `vectors` float32 (n, d). Same weights, same bytes.
    """
    graph = OnnxGraph()
    value = graph.node("MatMul", ["beats", graph.constant(fitted.polarity[:, None])])
    inverted = graph.node("Less", [value, graph.constant(np.array(0.0))])
    sign = graph.node("Where", [inverted, graph.constant(np.array(-1.0)), graph.constant(np.array(1.0))])
    upright = graph.node("Mul", ["beats", sign])
    features = _views(graph, upright, fitted)
    projected = graph.node("MatMul", [features, graph.constant(fitted.projection)])
    centered = graph.node("Sub", [projected, graph.constant(fitted.mean @ fitted.projection)])
    norm = graph.node("ReduceL2", [centered], axes=[1], keepdims=1)
    safe_norm = graph.node("Max", [norm, graph.constant(np.array(np.finfo(np.float32).tiny, np.float64))])
    graph.node("Div", [centered, safe_norm], name="vectors")
    inputs, outputs = {"beats": ("n", fitted.polarity.size)}, {"vectors": ("n", fitted.projection.shape[1])}
    return graph.written("beat_lda", inputs, outputs)


def _views(graph: OnnxGraph, upright: str, fitted: BeatLda) -> str:
    """Equals `ml.models.beat_views.apply_views`."""
    differences = [upright]
    for order in range(max(view.order for view in fitted.views)):
        length = fitted.polarity.size - order
        later, earlier = (
            _slice(graph, differences[-1], 1, length),
            _slice(graph, differences[-1], 0, length - 1),
        )
        slope = graph.node("Sub", [later, earlier])
        differences.append(_standardized(graph, slope, WHOLE_VARIANCE_FLOOR))
    pieces = [
        _standardized(graph, _slice(graph, differences[v.order], v.start, v.stop), v.variance_floor)
        for v in fitted.views
    ]
    return graph.node("Concat", pieces, axis=1)


def _slice(graph: OnnxGraph, rows: str, start: int, stop: int) -> str:
    limits = [graph.constant(np.array([value], dtype=np.int64)) for value in (start, stop, 1)]
    return graph.node("Slice", [rows, *limits])


def _standardized(graph: OnnxGraph, rows: str, variance_floor: float) -> str:
    mean = graph.node("ReduceMean", [rows], axes=[1], keepdims=1)
    centered = graph.node("Sub", [rows, mean])
    square = graph.node("Mul", [centered, centered])
    variance = graph.node("ReduceMean", [square], axes=[1], keepdims=1)
    floored = graph.node("Add", [variance, graph.constant(np.array(variance_floor))])
    return graph.node("Div", [centered, graph.node("Sqrt", [floored])])
