"""Is this a heart? A small network that was trained on hearts and on what holds none.

It reads the mean beat in both polarities, how the beats differ from it, and the figures of `heart_features`.
`ml.training.heart_index` fits it; the hearts are those of CinC train people and computed ones, all else is
computed (`ml.synthetic.no_heart`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ml.runtime.ecg.signal.heart_features import HeartFeatures

Floats = NDArray[np.float32 | np.float64]

NETWORK: Final = "heart_index.onnx"
LEAST: Final = -0.75
"""Log odds. Above it, fewer than 0.35 % of computed signals without a heart are accepted, of other seeds than
the network was fitted to; a higher one costs hearts.
"""


def holds_heart(features: HeartFeatures) -> bool:
    """Whether the beats of a strip may be a heart's."""
    return heart_index(features) >= LEAST


def heart_index(features: HeartFeatures) -> float:
    """Log odds that the beats are a heart's; the same for a strip and its mirror image."""
    return float(log_odds(features.shape[None], features.spread[None], features.figures[None])[0])


def log_odds(shape: Floats, spread: Floats, figures: Floats) -> NDArray[np.float32]:
    """`heart_index` of many strips, one after the other; features of shape (n, …) → (n,)."""
    session = _session()
    found = np.empty(len(shape), dtype=np.float32)
    for row in range(len(shape)):
        inputs = {"shape": shape, "spread": spread, "figures": figures}
        one = {name: part[row : row + 1].astype(np.float32) for name, part in inputs.items()}
        (found[row : row + 1],) = session.run(["index"], one)
    return found


@cache
def _session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    weights = files(__package__).joinpath(NETWORK).read_bytes()
    return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
