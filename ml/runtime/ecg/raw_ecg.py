"""One lead of ECG as it was captured."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32 | np.float64]


class EcgCapture(Protocol):
    """What the ECG preparations read: any object with a signal and its sampling rate.

    Attributes:
        signal: Any unit and polarity, float, shape (n_samples,).
        fs_hz: Sampling rate, 100 to 2000.
    """

    @property
    def signal(self) -> FloatArray: ...
    @property
    def fs_hz(self) -> float: ...


class RawEcg(NamedTuple):
    """The plainest `EcgCapture`."""

    signal: FloatArray
    fs_hz: float

    def __repr__(self) -> str:  # Recordings never reach a log.
        return f"RawEcg(signal=<{self.signal.size}>, fs_hz={self.fs_hz:g})"
