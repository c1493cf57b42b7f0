"""The network of the encoder without weights: histograms of local binary patterns, projected at random."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from app.fetching.onnx_graphs import Graph
from ml.runtime.face.lbp_preparation import CELLS, PATTERNS

DIMENSIONS: Final = 256
_SEED: Final = b"pulseprint/face-lbp/1"


def histogram_network() -> bytes:
    """Make `histograms` (n, 7·7·59) → `vector` (n, 256).

    The root of a histogram compares like its Hellinger distance. A projection by random signs keeps angles
    (Johnson and Lindenstrauss), and its signs are those of a hash: the same on every machine.
    """
    from onnx import helper

    inputs = CELLS * CELLS * PATTERNS
    bits = np.frombuffer(hashlib.shake_256(_SEED).digest(inputs * DIMENSIONS // 8 + 1), dtype=np.uint8)
    signs = 2.0 * np.unpackbits(bits)[: inputs * DIMENSIONS] - 1.0
    graph = Graph(
        [
            helper.make_node("Sqrt", ["histograms"], ["roots"]),
            helper.make_node("Sub", ["roots", "usual"], ["own"]),
            helper.make_node("MatMul", ["own", "signs"], ["vector"]),
        ],
        {
            "signs": (signs.reshape(inputs, DIMENSIONS) / np.sqrt(DIMENSIONS)).astype(np.float32),
            "usual": np.full(inputs, 1.0 / np.sqrt(PATTERNS), dtype=np.float32),
        },
    )
    return graph.to_bytes({"histograms": ("n", inputs)}, {"vector": ("n", DIMENSIONS)})
