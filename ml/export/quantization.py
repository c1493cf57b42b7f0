"""Eight-bit integers for the networks in an ONNX file; what is fitted behind them stays as it is.

Weights are quantised per channel, activations by the range they take on calibration strips (static).
Convolutions gain most: 8-bit products, and the additions between them need no way back to floats.
Transformers get smaller and hardly faster.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.export.onnx_files import cosine_distance, open_session, without_origin

Inputs = Mapping[str, NDArray[np.float32]]
"""What a network reads of one strip, as a `ml.runtime.preparation.Preparation` gives it."""

WEIGHTED = {"Conv", "MatMul", "Gemm"}
# Worth quantising only where their neighbours are: between convolutions.
BETWEEN_CONVOLUTIONS = {"Add", "Mul", "Relu", "MaxPool"}
# What `StripEncoder` calls the constants fitted behind a network: tiny, and they decide.
FITTED = {"polarity", "projection", "centre"}
CHECKED_STRIPS = 8
# What ONNX Runtime's rewriting may change: rounding ties, not the vectors.
REWRITING_COSINE_DISTANCE = 1e-2
REPORT_RUNS = 30


class QuantizationError(RuntimeError):
    """ONNX Runtime does not compute what the quantised file says."""


@dataclass(frozen=True)
class QuantizationConfig:
    """What is quantised.

    Args:
        first_convolutions: Those of one channel, which read the windows.
        matrices: Linear layers; all of a transformer, the last layer of a convolutional network.
    """

    first_convolutions: bool = True
    matrices: bool = True


@dataclass(frozen=True)
class QuantizationReport:
    """A network before and after, on the same strips.

    Args:
        kib, int8_kib: File sizes.
        p50_ms, int8_p50_ms: Median time of a strip on one thread, taken in turn.
        worst_cosine, mean_cosine: Of what comes out, before against after.
    """

    kib: float
    int8_kib: float
    p50_ms: float
    int8_p50_ms: float
    worst_cosine: float
    mean_cosine: float

    def to_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def quantize_network(
    weights: bytes, strips: Sequence[Inputs], config: QuantizationConfig | None = None
) -> bytes:
    """Quantise the networks of a file that `ml.export.strip_network` wrote.

    Args:
        weights: An ONNX file.
        strips: What it reads of strips of the people it was trained on: they set the ranges.
        config: What is quantised; by default all that gains.

    Raises:
        QuantizationError: ONNX Runtime's rewriting of the quantised graph changes what it computes.
    """
    from onnx import load_model_from_string
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    config = config or QuantizationConfig()
    model = load_model_from_string(weights)
    chosen = quantized_nodes(model.graph, config)
    with tempfile.TemporaryDirectory() as folder, _quiet_quantizer():
        path = Path(folder) / "quantized.onnx"
        quantize_static(
            model,
            path,
            _Calibration(strips),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # Unsigned times signed: three times as fast as signed times signed on x86.
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # The whole range; the other methods need strips of equal length.
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_quantize=chosen,
            op_types_to_quantize=sorted(WEIGHTED | BETWEEN_CONVOLUTIONS),
            extra_options={
                "MatMulConstBOnly": True,
                # Outputs of matrices, quantised, come through a reshape as other numbers: onnxruntime#27845.
                "OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"],
            },
        )
        quantized = load_model_from_string(path.read_bytes())
    without_origin(quantized)
    found = bytes(quantized.SerializeToString(deterministic=True))
    _check_rewriting(found, strips[:CHECKED_STRIPS])
    return found


def quantized_nodes(graph: Any, config: QuantizationConfig) -> list[str]:
    """Name the nodes to quantise: those with weights of the network, and what lies between convolutions."""
    constants = {tensor.name for tensor in graph.initializer}
    weighted = [node for node in graph.node if node.op_type in WEIGHTED and _network_weights(node, constants)]
    convolutions = [node for node in weighted if node.op_type == "Conv"]
    between = _descendants(graph, convolutions) & _ancestors(graph, convolutions)
    chosen = [n for n in graph.node if n.name in between and n.op_type in BETWEEN_CONVOLUTIONS] + weighted
    if not config.matrices:
        chosen = [node for node in chosen if node.op_type in {"Conv"} | BETWEEN_CONVOLUTIONS]
    if not config.first_convolutions:
        channels = {tensor.name: tensor.dims[1] for tensor in graph.initializer if len(tensor.dims) > 2}
        chosen = [node for node in chosen if node.op_type != "Conv" or channels[node.input[1]] > 1]
    return [node.name for node in chosen]


def quantization_report(weights: bytes, quantized: bytes, strips: Sequence[Inputs]) -> QuantizationReport:
    """Compare a network before and after.

    Args:
        weights, quantized: ONNX files.
        strips: What they read of strips that set no ranges.
    """
    sessions = open_session(weights), open_session(quantized)
    vectors = [np.concatenate([session.run(None, strip)[0] for strip in strips]) for session in sessions]
    taken: tuple[list[float], list[float]] = ([], [])
    for strip in list(strips) * -(-REPORT_RUNS // len(strips)):
        for session, times in zip(sessions, taken, strict=True):
            started_s = time.perf_counter()
            session.run(None, strip)
            times.append(time.perf_counter() - started_s)
    cosine = 1.0 - cosine_distance(vectors[0], vectors[1])
    return QuantizationReport(
        kib=len(weights) / 1024,
        int8_kib=len(quantized) / 1024,
        p50_ms=float(np.median(taken[0])) * 1e3,
        int8_p50_ms=float(np.median(taken[1])) * 1e3,
        worst_cosine=float(cosine.min()),
        mean_cosine=float(cosine.mean()),
    )


class _Calibration:
    """Hands out one strip after another, as the quantizer asks."""

    def __init__(self, strips: Sequence[Inputs]) -> None:
        self._strips = iter(strips)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        strip = next(self._strips, None)
        return None if strip is None else dict(strip)


def _network_weights(node: Any, constants: set[str]) -> bool:
    """Whether a node has weights, and not those fitted behind a network."""
    weights = [name for name in node.input if name in constants]
    return bool(weights) and not any(name.rpartition(".")[2] in FITTED for name in weights)


def _descendants(graph: Any, sources: Sequence[Any]) -> set[str]:
    """Names of the nodes that read, at some remove, what `sources` give. Nodes are in topological order."""
    values = {name for node in sources for name in node.output}
    found = set()
    for node in graph.node:
        if values.intersection(node.input):
            values.update(node.output)
            found.add(node.name)
    return found


def _ancestors(graph: Any, sinks: Sequence[Any]) -> set[str]:
    """Names of the nodes that `sinks` read from, at some remove."""
    values = {name for node in sinks for name in node.input}
    found = set()
    for node in reversed(graph.node):
        if values.intersection(node.output):
            values.update(node.input)
            found.add(node.name)
    return found


def _check_rewriting(quantized: bytes, strips: Sequence[Inputs]) -> None:
    as_written, as_served = open_session(quantized, optimised=False), open_session(quantized)
    for strip in strips:
        worst = float(cosine_distance(as_written.run(None, strip)[0], as_served.run(None, strip)[0]).max())
        if not worst <= REWRITING_COSINE_DISTANCE:
            raise QuantizationError(
                f"ONNX Runtime's rewriting moves the vectors by a cosine distance of {worst:.2g}; "
                f"at most {REWRITING_COSINE_DISTANCE:g} is rounding"
            )


@contextmanager
def _quiet_quantizer() -> Iterator[None]:
    """It asks on the root logger for a pre-processing that fails on files of the dynamo exporter."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
