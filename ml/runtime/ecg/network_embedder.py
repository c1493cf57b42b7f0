"""Kind `ecg-network`: windows of a strip, and its mean beat → vector."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.beat_embedder import standard_beat
from ml.runtime.ecg.embedder import Embedder
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.signal.windows import WindowConfig, strip_windows
from ml.runtime.onnx_network import FIXED, FREE, Inputs, OnnxNetwork, Shape


@dataclass(frozen=True)
class NetworkInputs:
    """What the network reads; its `preprocessing` in `bundle.json`."""

    mean_beat: MeanBeatConfig = field(default_factory=MeanBeatConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)


class NetworkEmbedder(Embedder):
    """A network over windows and mean beat; polarity, pooling and weighting happen inside it."""

    def __init__(self, weights: bytes, config: NetworkInputs) -> None:
        """Load a network.

        Args:
            weights: An ONNX file `windows` (n, n_samples), `beat` (1, n_beat_samples) → `vector` (1, d), all
                float32; n is free.
            config: What it was trained to read.

        Raises:
            BundleError: Not such a network.
        """
        self._config = config
        reads: dict[str, Shape] = {
            "windows": (FREE, config.windows.n_samples),
            "beat": (1, config.mean_beat.n_samples),
        }
        super().__init__(OnnxNetwork(weights, inputs=reads, outputs={"vector": (1, FIXED)}))

    def inputs(
        self, ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], accepted: NDArray[np.bool_]
    ) -> Inputs:
        """Give `windows` (n, n_samples) and `beat` (1, n_beat_samples) of a conditioned strip."""
        beat = standard_beat(ecg, r_peaks, self._config.mean_beat)  # First: it refuses empty strips.
        return {"windows": strip_windows(ecg, accepted, self._config.windows), "beat": beat[None]}
