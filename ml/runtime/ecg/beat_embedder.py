"""Kind `ecg-mean-beat`: the mean beat of a strip → vector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.embedder import Embedder
from ml.runtime.ecg.mean_beat import MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.runtime.ecg.signal.errors import NoHeartbeatError
from ml.runtime.onnx_network import FIXED, FREE, Inputs, OnnxNetwork


class BeatEmbedder(Embedder):
    """A mean-beat network with its preparation."""

    def __init__(self, weights: bytes, config: MeanBeatConfig) -> None:
        """Load a network.

        Args:
            weights: An ONNX file `beats` (n, n_samples) → `vectors` (n, d), both float32.
            config: The mean beat it was fitted for.

        Raises:
            BundleError: Not such a network.
        """
        self._config = config
        reads = {"beats": (FREE, config.n_samples)}
        super().__init__(OnnxNetwork(weights, inputs=reads, outputs={"vectors": (FREE, FIXED)}))

    def inputs(
        self,
        ecg: NDArray[np.float32],
        r_peaks: NDArray[np.int64],
        accepted: NDArray[np.bool_],  # noqa: ARG002 – the peaks say it all.
    ) -> Inputs:
        """Give the standardised mean beat, `beats` of shape (1, n_samples)."""
        return {"beats": standard_beat(ecg, r_peaks, self._config)[None]}


def standard_beat(
    ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], config: MeanBeatConfig
) -> NDArray[np.float32]:
    """Give the standardised mean beat of a conditioned strip.

    Args:
        ecg: At the working rate (250 Hz), band-passed, any unit, float32, shape (n_samples,).
        r_peaks: Those in accepted segments, int64, shape (n_beats,).
        config: The mean beat.

    Returns:
        float32, shape (config.n_samples,); for `-ecg` exactly minus that.

    Raises:
        NoHeartbeatError: No beat lies whole within the strip.
    """
    marks = align_beats(ecg, WORKING_FS_HZ, r_peaks, config)
    mean = mean_beat(ecg, WORKING_FS_HZ, marks, config)
    shape = None if mean is None else beat_shape(mean, WORKING_FS_HZ, config)
    if shape is None:
        raise NoHeartbeatError("no heartbeat lies whole within the strip")
    return shape
