"""Kind `ecg-mean-beat`: what a network over the mean beat of a strip reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.mean_beat import MeanBeatConfig, align_beats, beat_shape, mean_beat
from ml.runtime.ecg.preparation import EcgPreparation
from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.runtime.ecg.signal.errors import NoHeartbeatError
from ml.runtime.ecg.vector_constants import beat_constants
from ml.runtime.parameters import read_parameters
from ml.runtime.preparation import FIXED, FREE, Constants, Inputs


class BeatPreparation(EcgPreparation):
    """Mean beats for a network `beats` (n, n_samples) → `vectors` (n, d)."""

    def __init__(self, config: MeanBeatConfig) -> None:
        """Take the mean beat that the network was fitted for."""
        self._config = config
        self.reads = {"beats": (FREE, config.n_samples)}
        self.gives = {"vectors": (FREE, FIXED)}

    @classmethod
    def from_dict(cls, preprocessing: Mapping[str, Any]) -> BeatPreparation:
        """See `Preparation.from_dict`."""
        return cls(read_parameters(MeanBeatConfig, preprocessing, "preprocessing"))

    @classmethod
    def constants(cls) -> Constants:
        """See `Preparation.constants`."""
        return beat_constants()

    def inputs(
        self,
        ecg: NDArray[np.float32],
        r_peaks: NDArray[np.int64],
        accepted: NDArray[np.bool_],  # noqa: ARG002 – the peaks say it all.
    ) -> Inputs:
        """Return the standardized mean beat, `beats` of shape (1, n_samples)."""
        return {"beats": standard_beat(ecg, r_peaks, self._config)[None]}


def standard_beat(
    ecg: NDArray[np.float32], r_peaks: NDArray[np.int64], config: MeanBeatConfig
) -> NDArray[np.float32]:
    """Return the standardized mean beat of a conditioned strip.

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
