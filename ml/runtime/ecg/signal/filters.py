"""Zero-phase filters and resampling: pure functions `(array, fs_hz) → array`.

All are linear, do not shift beats in time, and are exactly sign-equivariant:
`f(-x) == -f(x)` to the bit.

`scipy.signal` takes long to import and is therefore loaded at first use.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.sos_filter import filter_in_place

FloatArray = NDArray[np.float32 | np.float64]


def band_pass(ecg: FloatArray, fs_hz: float, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Keep `low_hz` to `high_hz` with a Butterworth filter run forward and backward.

    Args:
        ecg: Any unit, float, shape (n_samples,), n_samples ≥ 2.
        fs_hz: Sampling rate; more than twice `high_hz`.
        low_hz: Lower edge (−6 dB).
        high_hz: Upper edge (−6 dB).

    Returns:
        Same unit, float64, same shape.
    """
    return _zero_phase(_band_pass_design(fs_hz, low_hz, high_hz), ecg)


def notch(ecg: FloatArray, fs_hz: float, mains_hz: float) -> NDArray[np.float64]:
    """Remove the mains hum; where `mains_hz` is not safely below `fs_hz / 2` return the input.

    Args:
        ecg: Any unit, float, shape (n_samples,), n_samples ≥ 2.
        fs_hz: Sampling rate.
        mains_hz: 50 or 60.

    Returns:
        Same unit, float64, same shape.
    """
    if mains_hz > c.NOTCH_MAX_SHARE_OF_FS * fs_hz:
        return np.asarray(ecg, dtype=np.float64)
    return _zero_phase(_notch_design(fs_hz, mains_hz), ecg)


def resample(ecg: FloatArray, fs_hz: float, target_fs_hz: float) -> NDArray[np.float64]:
    """Change the sampling rate with a polyphase low-pass, without moving anything in time.

    Args:
        ecg: Any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        target_fs_hz: Target rate. The ratio is the nearest fraction with a denominator up to 1000, so that
            taps have a bounded length; it is off by 5e-4 at most, usually by less than 4e-6.

    Returns:
        Same unit, float64, shape (ceil(n_samples · ratio),).
    """
    x = np.asarray(ecg, dtype=np.float64)
    up, down = _ratio(fs_hz, target_fs_hz)
    if up == down:
        return x
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(x, up, down, window=_polyphase_taps(up, down), padtype="line"))


def _zero_phase(design: "_Design", ecg: FloatArray) -> NDArray[np.float64]:
    """`scipy.signal.sosfiltfilt` with its start values computed once per design, and its checks left out."""
    x = np.asarray(ecg, dtype=np.float64)
    padding = min(design.settling_samples, x.size - 1)
    before = 2.0 * x[0] - x[padding:0:-1]
    after = 2.0 * x[-1] - x[-2 : -padding - 2 : -1]
    y = np.concatenate((before, x, after))[None]
    filter_in_place(design.sos, y, design.start[None] * y[0, 0])
    y = y[:, ::-1].copy()
    filter_in_place(design.sos, y, design.start[None] * y[0, 0])
    return np.asarray(y[0, ::-1][padding : padding + x.size])


@dataclass(frozen=True, eq=False)
class _Design:
    sos: NDArray[np.float64]
    start: NDArray[np.float64]  # State after an endless constant of 1.
    settling_samples: int


def _design(sos: NDArray[np.float64], settling_s: float, fs_hz: float) -> _Design:
    from scipy.signal import sosfilt_zi

    return _Design(np.ascontiguousarray(sos), np.asarray(sosfilt_zi(sos)), int(settling_s * fs_hz))


@lru_cache(maxsize=64)
def _band_pass_design(fs_hz: float, low_hz: float, high_hz: float) -> _Design:
    from scipy.signal import butter

    sos = butter(c.BAND_ORDER, (low_hz, high_hz), btype="bandpass", fs=fs_hz, output="sos")
    return _design(sos, 1.0 / low_hz, fs_hz)


@lru_cache(maxsize=64)
def _notch_design(fs_hz: float, mains_hz: float) -> _Design:
    from scipy.signal import iirnotch, tf2sos

    return _design(tf2sos(*iirnotch(mains_hz, c.NOTCH_Q, fs=fs_hz)), c.NOTCH_Q / mains_hz, fs_hz)


@lru_cache(maxsize=64)
def _ratio(fs_hz: float, target_fs_hz: float) -> tuple[int, int]:
    ratio = Fraction(target_fs_hz / fs_hz).limit_denominator(c.MAX_RATIO_DENOMINATOR)
    return ratio.numerator, ratio.denominator


@lru_cache(maxsize=64)
def _polyphase_taps(up: int, down: int) -> NDArray[np.float64]:
    """The taps that `resample_poly` would design anew at each call."""
    from scipy.signal import firwin

    rate = max(up, down)
    return np.asarray(firwin(20 * rate + 1, 1.0 / rate, window=("kaiser", 5.0)))
