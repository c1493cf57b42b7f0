"""What the network that reads windows for identity says of a window of ECG, beside features made by hand.

The trunk never met the motion set: it was trained to tell people apart. Each of its stages is averaged over
time, and over the windows within a context.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.conditioning import ConditionedEcg
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.runtime.ecg.signal.windows import standardise_windows, window_starts
from ml.runtime.onnx_network import OnnxNetwork
from ml.runtime.preparation import FIXED, FREE

FloatArray = NDArray[np.float64]
# Windows at once, when a whole set is described.
BATCH = 16
SHORTEST_STEP_S = 0.01


@dataclass(frozen=True)
class TrunkWindows:
    """What a trunk reads of a strip.

    Args:
        n_samples: Length of a window.
        fs_hz: Sampling rate; divides the working rate of `ml.runtime.ecg.signal` (250 Hz).
        step_s: Distance between the starts of windows within a context.

    Raises:
        ValueError: No such windows can be cut.
    """

    n_samples: int = 368
    fs_hz: float = 125.0
    step_s: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.n_samples < math.inf or not SHORTEST_STEP_S <= self.step_s < math.inf:
            raise ValueError("trunk: n_samples and step_s must be positive and finite")
        if not 0.0 < self.fs_hz <= WORKING_FS_HZ or WORKING_FS_HZ % self.fs_hz != 0.0:
            raise ValueError(f"trunk: fs_hz must divide {WORKING_FS_HZ:g} Hz, got {self.fs_hz}")


class ContextWindows(NamedTuple):
    """Windows of several contexts of a strip, each read once.

    Args:
        windows: Standardised, heartbeats up, float32, shape (n_windows, n_samples).
        pooling: Averages over the windows of each context, float32, shape (n_contexts, n_windows).
    """

    windows: NDArray[np.float32]
    pooling: NDArray[np.float32]


def context_windows(
    strip: ConditionedEcg, starts_s: FloatArray, context_s: float, config: TrunkWindows
) -> ContextWindows:
    """Cut the windows that a trunk reads of contexts.

    Args:
        strip: Conditioned or examined by `ml.runtime.ecg.signal.conditioning`.
        starts_s: Of the contexts, shape (n_contexts,), at least one.
        context_s: Their length; a strip shorter than that is read whole.
        config: The windows.

    Returns:
        For `-ecg` the same, and for any gain, wherever there are heartbeats.
    """
    samples = strip.ecg[:: round(WORKING_FS_HZ / config.fs_hz)]
    if samples.size < config.n_samples:  # As in a strip of 3 s at an odd rate.
        samples = np.pad(samples, (0, config.n_samples - samples.size), mode="edge")
    length = int(np.clip(round(context_s * config.fs_hz), config.n_samples, samples.size))
    within = window_starts(length, config.fs_hz, config.n_samples / config.fs_hz, config.step_s)
    firsts = np.clip(np.round(starts_s * config.fs_hz).astype(np.int64), 0, samples.size - length)
    starts, place = np.unique(firsts[:, None] + within, return_inverse=True)
    pooling = np.zeros((len(firsts), len(starts)), np.float32)
    np.put_along_axis(pooling, place.reshape(len(firsts), -1), np.float32(1.0 / within.size), axis=1)
    windows = standardise_windows(samples[starts[:, None] + np.arange(config.n_samples)])
    return ContextWindows(-windows if _upside_down(strip) else windows, pooling)


class Trunk:
    """A trunk by itself, to describe what heads are fitted to; may be called from several threads."""

    def __init__(self, weights: bytes, config: TrunkWindows) -> None:
        """Open a trunk.

        Args:
            weights: An ONNX file `windows` (n, n_samples) → `stages` (n, d), float32; n is free.
            config: What it reads.

        Raises:
            BundleError: Not such a network.
        """
        self.config = config
        reads = {"windows": (FREE, config.n_samples)}
        self._network = OnnxNetwork(weights, inputs=reads, outputs={"stages": (FREE, FIXED)})
        self.size = self._network.output_size()

    def features(self, strip: ConditionedEcg, starts_s: FloatArray, context_s: float) -> FloatArray:
        """Describe contexts; arguments as of `context_windows`.

        Returns:
            float64, shape (n_contexts, size).
        """
        windows, pooling = context_windows(strip, starts_s, context_s, self.config)
        batches = [windows[first : first + BATCH] for first in range(0, len(windows), BATCH)]
        stages = np.concatenate([self._network.run({"windows": batch}) for batch in batches])
        return np.asarray(pooling @ stages, dtype=np.float64)


def _upside_down(strip: ConditionedEcg) -> bool:
    """Whether heartbeats of a strip point down: electrodes may be the other way round."""
    return strip.r_peaks.size > 0 and bool(np.median(strip.ecg[strip.r_peaks]) < 0.0)
