"""Kind `ecg-network`: what a network over windows of a strip and its mean beat reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.beat_preparation import standard_beat
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.preparation import EcgPreparation
from ml.runtime.ecg.signal.windows import WindowConfig, strip_windows
from ml.runtime.ecg.vector_constants import strip_constants
from ml.runtime.parameters import read_parameters
from ml.runtime.preparation import FIXED, FREE, Constants, Inputs


@dataclass(frozen=True)
class StripConfig:
    """What the network reads; its `preprocessing` in `bundle.json`."""

    mean_beat: MeanBeatConfig = field(default_factory=MeanBeatConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)


class StripPreparation(EcgPreparation):
    """Windows and mean beats for a network `windows` (n, n_samples), `beat` (1, n_beat_samples) → `vector`.

    Polarity, pooling and weighting happen inside the network.
    """

    def __init__(self, config: StripConfig) -> None:
        """Take the windows and the mean beat that the network was trained to read."""
        self._config = config
        self.reads = {
            "windows": (FREE, config.windows.n_samples),
            "beat": (1, config.mean_beat.n_samples),
        }
        self.gives = {"vector": (1, FIXED)}

    @classmethod
    def from_dict(cls, preprocessing: Mapping[str, Any]) -> StripPreparation:
        """See `Preparation.from_dict`."""
        if preprocessing.keys() != (parts := {"mean_beat", "windows"}):
            odd = ", ".join(sorted(preprocessing.keys() ^ parts))
            raise ValueError(f"preprocessing: missing or unknown {odd}")
        beat = read_parameters(MeanBeatConfig, preprocessing["mean_beat"], "preprocessing.mean_beat")
        windows = read_parameters(WindowConfig, preprocessing["windows"], "preprocessing.windows")
        return cls(StripConfig(beat, windows))

    @classmethod
    def constants(cls) -> Constants:
        """See `Preparation.constants`."""
        return strip_constants()

    def inputs(
        self, ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], accepted: NDArray[np.bool_]
    ) -> Inputs:
        """Return `windows` (n, n_samples) and `beat` (1, n_beat_samples) of a conditioned strip."""
        beat = standard_beat(ecg, r_peaks, self._config.mean_beat)  # First: it refuses empty strips.
        return {"windows": strip_windows(ecg, accepted, self._config.windows), "beat": beat[None]}
