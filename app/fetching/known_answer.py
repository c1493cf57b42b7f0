"""What a converted network gives for a fixed pattern, compared with what it gave when it was calibrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.fetching.errors import FetchError

TOLERANCE: Final = 1e-4
"""Of a number in a unit vector; other processors round differently, other weights differ by more."""


def pattern(shape: Sequence[int]) -> NDArray[np.float32]:
    """Return numbers from 0 to 250 without order; float32."""
    count = int(np.prod(shape))
    return ((np.arange(count, dtype=np.int64) * 7919) % 251).astype(np.float32).reshape(shape)


def answer(network: bytes, shape: Sequence[int]) -> NDArray[np.float32]:
    """Return the network's first row for the pattern, scaled to unit norm; float32, shape (d,)."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0].name
    found = np.asarray(session.run(None, {port: pattern(shape)})[0], dtype=np.float64).reshape(-1)
    return (found / np.linalg.norm(found)).astype(np.float32)


def require_answers(networks: Mapping[str, bytes], known: Mapping[str, Any]) -> None:
    """Compare converted networks with what was measured.

    Args:
        networks: ONNX files by name.
        known: For each of some of them `shape` of the input and the `vector` expected, its first numbers.

    Raises:
        FetchError: Another answer.
    """
    for name, expected in known.items():
        found = answer(networks[name], expected["shape"])[: len(expected["vector"])]
        difference = float(np.max(np.abs(found - np.asarray(expected["vector"], dtype=np.float32))))
        if not difference <= TOLERANCE:
            raise FetchError(
                f"{name}: the conversion gives other numbers than expected (by {difference:.2g}); "
                "nothing was changed."
            )
