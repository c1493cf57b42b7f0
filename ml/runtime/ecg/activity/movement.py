"""Movement in an ECG: strength, frequency, regularity.

Steps, squats and swinging arms shake electrodes and cables at their own pace; working muscles add noise at
higher frequencies. Powers are relative to the QRS size, so that the gain of a device does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.constants import WORKING_FS_HZ

FS_HZ = WORKING_FS_HZ
# Narrower where people move: strides from 0.7 Hz, running steps up to 3.2 Hz, and their harmonics.
BAND_EDGES_HZ = (0.5, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 3.6, 4.5, 6.0, 9.0, 14.0, 22.0, 40.0)
N_SLOW_BANDS = 6
POWER_RESOLUTION = 1e-6
SIZE_RESOLUTION = 1e-3
PACE_BAND_HZ = (0.7, 4.0)
PACE_LAGS_S = (0.28, 1.3)
MUSCLE_LOW_HZ = 12.0
# Spectra are means over half-overlapping pieces of this length: a resolution of 0.17 Hz.
PIECE_S = 6.0
N_FFT = 2048
# Changes of strength are measured between pieces of about this length.
CHANGE_PIECE_S = 1.5

MOVEMENT_NAMES = (
    *(f"log_power_{low:g}_hz" for low in BAND_EDGES_HZ[:-1]),
    *(f"log_share_{low:g}_hz" for low in BAND_EDGES_HZ[:-1]),
    "log_slow_over_fast",
    "log_pace_hz",
    "log_pace_prominence",
    "log_slow_centre_hz",
    "pace_regularity",
    "log_pace_lag_s",
    "log_size",
    "log_kurtosis",
    "size_change",
    "log_muscle_pace_hz",
    "log_muscle_pace_prominence",
)


def movement_features(left: NDArray[np.float64], qrs_size: float) -> dict[str, float]:
    """Compute the features of a window whose heartbeats were subtracted.

    Args:
        left: At 250 Hz, unit of the ECG, float64, shape (n_samples,), at least 2 s.
        qrs_size: Same unit, positive.

    Returns:
        All of `MOVEMENT_NAMES`; mirroring or scaling the ECG changes nothing.
    """
    relative = (left - left.mean()) / qrs_size
    return {
        **_bands(relative),
        **_pace(relative),
        **_regularity(relative),
        **_strength(relative),
        **_muscles(relative),
    }


def _bands(relative: NDArray[np.float64]) -> dict[str, float]:
    hz, density = _spectrum(relative)
    edges = np.searchsorted(hz, BAND_EDGES_HZ)
    powers = np.add.reduceat(density[: edges[-1]], edges[:-1]) * hz[1]
    logs = np.log(powers + POWER_RESOLUTION)
    shares = logs - np.log(powers.sum() + POWER_RESOLUTION)
    slow, fast = powers[:N_SLOW_BANDS].sum(), powers[N_SLOW_BANDS:].sum()
    found = {f"log_power_{low:g}_hz": float(x) for low, x in zip(BAND_EDGES_HZ[:-1], logs, strict=True)}
    found |= {f"log_share_{low:g}_hz": float(x) for low, x in zip(BAND_EDGES_HZ[:-1], shares, strict=True)}
    found["log_slow_over_fast"] = float(np.log((slow + POWER_RESOLUTION) / (fast + POWER_RESOLUTION)))
    return found


def _pace(relative: NDArray[np.float64]) -> dict[str, float]:
    hz, density = _spectrum(relative)
    inside = (hz >= PACE_BAND_HZ[0]) & (hz <= PACE_BAND_HZ[1])
    # Drift falls with frequency. Multiplied by frequency, a pace stands out.
    hz, weighed = hz[inside], density[inside] * hz[inside]
    total = max(float(density[inside].sum()), float(np.finfo(np.float64).tiny))
    pace_hz, prominence = _peak(hz, weighed)
    return {
        "log_pace_hz": pace_hz,
        "log_pace_prominence": prominence,
        "log_slow_centre_hz": float(np.log(max(weighed.sum() / total, PACE_BAND_HZ[0]))),
    }


def _regularity(relative: NDArray[np.float64]) -> dict[str, float]:
    """Autocorrelation of the window at its best pace, corrected for the overlap."""
    n = relative.size
    spectrum = np.fft.rfft(relative, 2 * n)
    likeness = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 2 * n)[:n]
    first, last = (round(lag_s * FS_HZ) for lag_s in PACE_LAGS_S)
    lags = np.arange(first, min(last, n - 1))
    at_lags = likeness[lags] * n / (n - lags) / max(likeness[0], POWER_RESOLUTION)
    best = int(at_lags.argmax())
    return {
        "pace_regularity": float(at_lags[best]),
        "log_pace_lag_s": float(np.log(lags[best] / FS_HZ)),
    }


def _strength(relative: NDArray[np.float64]) -> dict[str, float]:
    size = relative.std()
    pieces = np.array_split(relative, max(1, int(relative.size / FS_HZ / CHANGE_PIECE_S)))
    sizes = np.log(np.array([piece.std() for piece in pieces]) + SIZE_RESOLUTION)
    kurtosis = np.mean((relative / max(size, SIZE_RESOLUTION)) ** 4)
    return {
        "log_size": float(np.log(size + SIZE_RESOLUTION)),
        "log_kurtosis": float(np.log(kurtosis + SIZE_RESOLUTION)),
        "size_change": float(sizes.std()),
    }


def _muscles(relative: NDArray[np.float64]) -> dict[str, float]:
    """The pace at which muscle noise comes and goes."""
    spectrum = np.fft.rfft(relative)
    spectrum[np.fft.rfftfreq(relative.size, 1.0 / FS_HZ) <= MUSCLE_LOW_HZ] = 0.0
    strength = np.abs(np.fft.irfft(spectrum, relative.size))
    hz, density = _spectrum(strength - strength.mean())
    inside = (hz >= PACE_BAND_HZ[0]) & (hz <= PACE_BAND_HZ[1])
    pace_hz, prominence = _peak(hz[inside], density[inside])
    return {"log_muscle_pace_hz": pace_hz, "log_muscle_pace_prominence": prominence}


def _peak(hz: NDArray[np.float64], density: NDArray[np.float64]) -> tuple[float, float]:
    """Frequency of the highest peak, and its height over the mean; both as logarithms."""
    highest = int(density.argmax())
    mean = float(density.mean())
    return float(np.log(hz[highest])), float(np.log(density[highest] / mean)) if mean > 0.0 else 0.0


def _spectrum(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.signal import welch

    piece = min(x.size, round(PIECE_S * FS_HZ))
    hz, density = welch(x, FS_HZ, "hann", piece, piece // 2, N_FFT)
    return np.asarray(hz), np.asarray(density)
