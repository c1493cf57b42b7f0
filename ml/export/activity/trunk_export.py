"""Export a trained identity network as the 8-bit trunk of an activity bundle. Needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.records import EcgRecord
from ml.export.quantization import quantize_network
from ml.export.strip_network import stages_network
from ml.runtime.ecg.activity.segments import duration_s
from ml.runtime.ecg.activity.trunk import TrunkWindows, context_windows
from ml.runtime.ecg.signal.conditioning import examine
from ml.runtime.ecg.signal.errors import SignalError
from ml.training.checkpoints import load_network

# Number of its training people whose strips set the ranges of the integers.
RANGE_STRIPS = 100


def export_trunk(weights: Path, records: Sequence[EcgRecord], config: TrunkWindows) -> bytes:
    """Write the stages of a network as ONNX: `windows` (n, n_samples) → `stages` (n, d).

    Args:
        weights: Of a window network, as in `ml.training.checkpoints`.
        records: Of its training people; the first of them set the ranges of the integers.
        config: The windows that it reads.

    Raises:
        FileNotFoundError: The weights are missing.
        ExportError: ONNX Runtime and torch disagree.
        QuantizationError: ONNX Runtime disagrees with the quantized graph.
    """
    network, _ = load_network(weights)
    strips = [{"windows": windows} for windows in _windows(records[:RANGE_STRIPS], config)]
    return quantize_network(stages_network(network), strips)


def _windows(records: Sequence[EcgRecord], config: TrunkWindows) -> Iterator[NDArray[np.float32]]:
    for record in records:
        try:
            strip = examine(record.signal, record.fs_hz)
        except SignalError:
            continue
        yield context_windows(strip, np.zeros(1), duration_s(strip), config).windows
