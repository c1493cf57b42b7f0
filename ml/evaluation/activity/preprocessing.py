"""From a raw strip to the windows of DT4ECG, section II-B; options cover what the paper leaves open.

The paper samples at 100 Hz, where a notch at 60 Hz is impossible: half the rate is 50 Hz. Here filters work
at the rate of the recording, and resampling comes after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.constants import BAND_HIGH_HZ, MAINS_HZ
from ml.runtime.ecg.signal.filters import FloatArray, band_pass, notch, resample

Filtering = Literal["high_pass", "band_pass"]
Scaling = Literal["record", "window"]

# Second-order Butterworth, run forward and backward: electrode drift needs that much.
HIGH_PASS_ORDER = 2


@dataclass(frozen=True)
class ActivityPreprocessing:
    """Preprocessing of activity windows.

    Args:
        fs_hz: Rate of the windows.
        window_s: Their length; windows do not overlap.
        low_hz: Edge of the high-pass.
        filtering: `high_pass` as in the paper, which keeps all that resampling leaves; `band_pass` ends at
            40 Hz like the service's signal chain.
        mains_hz: Notches. The paper names 60 Hz; the motion set comes from a country with 50 Hz.
        scaling: Scale to 0 … 1 per `record` or per `window`. The paper normalizes before it segments, so that
            a window depends on its whole record, the later part included.

    Raises:
        ValueError: An unknown option, or a rate, length or edge that is not positive.
    """

    fs_hz: float = 100.0
    window_s: float = 3.0
    low_hz: float = 0.5
    filtering: Filtering = "high_pass"
    mains_hz: tuple[float, ...] = MAINS_HZ
    scaling: Scaling = "record"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("filtering", self.filtering, get_args(Filtering)),
            ("scaling", self.scaling, get_args(Scaling)),
        ):
            if value not in known:
                raise ValueError(f"{name}: expected one of {sorted(known)}, got {value!r}")
        if not min(self.fs_hz, self.window_s, self.low_hz) > 0.0:
            raise ValueError("fs_hz, window_s and low_hz must be positive")

    @property
    def n_samples(self) -> int:
        """Samples of a window."""
        return round(self.window_s * self.fs_hz)


def preprocess(
    stretches: Sequence[FloatArray], fs_hz: float, config: ActivityPreprocessing
) -> list[NDArray[np.float32]]:
    """Filter, resample, segment and scale the parts of one recording.

    Args:
        stretches: Uninterrupted parts, any unit, float, each of shape (n_samples,).
        fs_hz: Their sampling rate.
        config: The options.

    Returns:
        The windows of each part, 0 … 1, float32, shape (n_windows, `config.n_samples`); none from a part
        shorter than a window. A flat part gives zeros.

    Source:
        DT4ECG, section II-B.
    """
    cut = [_windows(stretch, fs_hz, config) for stretch in stretches]
    if config.scaling == "window":
        return [_spanned(windows, axis=1) for windows in cut]
    joined = np.concatenate([windows.ravel() for windows in cut])
    spanned = _spanned(joined[None], axis=1)[0] if joined.size else joined.astype(np.float32)
    parts = np.split(spanned, np.cumsum([windows.size for windows in cut])[:-1])
    return [part.reshape(windows.shape) for part, windows in zip(parts, cut, strict=True)]


def _windows(stretch: FloatArray, fs_hz: float, config: ActivityPreprocessing) -> NDArray[np.float64]:
    # The last sample of a window lies one sample before its end.
    if stretch.size / fs_hz <= (config.n_samples - 1) / config.fs_hz:
        return np.empty((0, config.n_samples))
    x = resample(_filtered(stretch, fs_hz, config), fs_hz, config.fs_hz)
    n_windows = x.size // config.n_samples
    return x[: n_windows * config.n_samples].reshape(n_windows, config.n_samples)


def _filtered(stretch: FloatArray, fs_hz: float, config: ActivityPreprocessing) -> FloatArray:
    # Around the median, so that a flat strip becomes zeros instead of rounding errors of its offset.
    x: FloatArray = np.asarray(stretch, dtype=np.float64) - np.median(stretch)
    for mains_hz in config.mains_hz:
        x = notch(x, fs_hz, mains_hz)
    if config.filtering == "band_pass":
        return band_pass(x, fs_hz, config.low_hz, BAND_HIGH_HZ)
    return _high_pass(x, fs_hz, config.low_hz)


def _high_pass(x: FloatArray, fs_hz: float, low_hz: float) -> FloatArray:
    from scipy.signal import sosfiltfilt

    settling_samples = min(int(fs_hz / low_hz), x.size - 1)
    return np.asarray(sosfiltfilt(_high_pass_sos(fs_hz, low_hz), x, padlen=settling_samples))


@lru_cache(maxsize=64)
def _high_pass_sos(fs_hz: float, low_hz: float) -> NDArray[np.float64]:
    from scipy.signal import butter

    return np.asarray(butter(HIGH_PASS_ORDER, low_hz, btype="highpass", fs=fs_hz, output="sos"))


def _spanned(x: FloatArray, axis: int) -> NDArray[np.float32]:
    """Map minimum and maximum to 0 and 1 along an axis."""
    low = x.min(axis=axis, keepdims=True)
    span = x.max(axis=axis, keepdims=True) - low
    return np.asarray((x - low) / np.where(span > 0.0, span, 1.0), dtype=np.float32)
