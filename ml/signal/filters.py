"""Zero-phase filters and resampling: pure functions `(array, fs_hz) → array`.

All are linear, keep beats where they are in time, and are exactly sign-equivariant:
`f(-x) == -f(x)` to the bit.

`scipy.signal` takes long to import and is therefore loaded at first use.
"""

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ml.signal import constants as c

FloatArray = NDArray[np.float32 | np.float64]


def band_pass(ecg: FloatArray, fs_hz: float, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Keep `low_hz` to `high_hz` with a Butterworth filter run forwards and backwards.

    Args:
        ecg: Any unit, float, shape (n_samples,), n_samples ≥ 2.
        fs_hz: Sampling rate; more than twice `high_hz`.
        low_hz: Lower edge (−6 dB).
        high_hz: Upper edge (−6 dB).

    Returns:
        Same unit, float64, same shape.
    """
    return _zero_phase(_band_pass_sos(fs_hz, low_hz, high_hz), ecg, _settling_samples(fs_hz, low_hz))


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
    return _zero_phase(_notch_sos(fs_hz, mains_hz), ecg, _settling_samples(fs_hz, mains_hz / c.NOTCH_Q))


def resample(ecg: FloatArray, fs_hz: float, target_fs_hz: float) -> NDArray[np.float64]:
    """Change the sampling rate with a polyphase low-pass, without moving anything in time.

    Args:
        ecg: Any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        target_fs_hz: Wanted rate; the ratio is the nearest fraction with a denominator up to 1000.

    Returns:
        Same unit, float64, shape (ceil(n_samples · ratio),).
    """
    x = np.asarray(ecg, dtype=np.float64)
    ratio = Fraction(target_fs_hz / fs_hz).limit_denominator(c.MAX_RATIO_DENOMINATOR)
    if ratio == 1:
        return x
    from scipy.signal import resample_poly

    up, down = ratio.numerator, ratio.denominator
    return np.asarray(resample_poly(x, up, down, window=_polyphase_taps(up, down), padtype="line"))


def _zero_phase(sos: NDArray[np.float64], ecg: FloatArray, settling: int) -> NDArray[np.float64]:
    from scipy.signal import sosfiltfilt

    x = np.asarray(ecg, dtype=np.float64)
    padding = min(settling, x.size - 1)
    return np.asarray(sosfiltfilt(sos, x, padtype="odd", padlen=padding))


def _settling_samples(fs_hz: float, bandwidth_hz: float) -> int:
    return int(fs_hz / bandwidth_hz)


@lru_cache(maxsize=64)
def _band_pass_sos(fs_hz: float, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    from scipy.signal import butter

    return np.asarray(butter(c.BAND_ORDER, (low_hz, high_hz), btype="bandpass", fs=fs_hz, output="sos"))


@lru_cache(maxsize=64)
def _notch_sos(fs_hz: float, mains_hz: float) -> NDArray[np.float64]:
    from scipy.signal import iirnotch, tf2sos

    return np.asarray(tf2sos(*iirnotch(mains_hz, c.NOTCH_Q, fs=fs_hz)))


@lru_cache(maxsize=64)
def _polyphase_taps(up: int, down: int) -> NDArray[np.float64]:
    """The taps `resample_poly` would design anew at each call."""
    from scipy.signal import firwin

    rate = max(up, down)
    return np.asarray(firwin(20 * rate + 1, 1.0 / rate, window=("kaiser", 5.0)))
