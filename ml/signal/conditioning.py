"""The one pipeline from a raw strip to something encoders can use, in training and in service alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.signal import constants as c
from ml.signal.beats import heart_rate_bpm
from ml.signal.errors import (
    NoHeartbeatError,
    QualityTooLowError,
    SamplingRateUnsupportedError,
    SignalFlatError,
    SignalNotFiniteError,
    SignalTooShortError,
)
from ml.signal.filters import FloatArray, band_pass, notch, resample
from ml.signal.qrs import locate_qrs
from ml.signal.quality import SignalQuality, assess_quality


@dataclass(frozen=True)
class ConditionedEcg:
    """A strip at the working rate, band-passed, with its beats and its quality."""

    ecg: NDArray[np.float32]
    fs_hz: float
    r_peaks: NDArray[np.int64]
    quality: SignalQuality
    heart_rate_bpm: float | None


def condition(ecg: FloatArray, fs_hz: float) -> ConditionedEcg:
    """Check, filter and resample a strip, find its beats and judge it.

    Args:
        ecg: Any unit and polarity, float, shape (n_samples,).
        fs_hz: Sampling rate, 100 to 2000.

    Returns:
        The strip at 250 Hz in its own unit; for `-ecg` the same but for the sign.

    Raises:
        SignalError: One of its subclasses says what is wrong.
    """
    raw = _checked(ecg, fs_hz)
    hum_free = raw
    for mains_hz in c.MAINS_HZ:
        hum_free = notch(hum_free, fs_hz, mains_hz)
    at_working_rate = resample(hum_free, fs_hz, c.WORKING_FS_HZ)
    clean = band_pass(at_working_rate, c.WORKING_FS_HZ, c.BAND_LOW_HZ, c.BAND_HIGH_HZ)
    r_peaks = locate_qrs(clean)
    quality = assess_quality(clean, c.WORKING_FS_HZ, r_peaks)
    if quality.accepted_s == 0.0:
        if r_peaks.size < 2 or quality.score < c.NO_HEARTBEAT_SCORE:
            raise NoHeartbeatError("no heartbeats found")
        raise QualityTooLowError(f"quality {quality.score:.2f} is below {c.MIN_SEGMENT_SCORE}")
    return ConditionedEcg(
        ecg=clean.astype(np.float32),
        fs_hz=c.WORKING_FS_HZ,
        r_peaks=r_peaks,
        quality=quality,
        heart_rate_bpm=heart_rate_bpm(r_peaks, c.WORKING_FS_HZ),
    )


def _checked(ecg: FloatArray, fs_hz: float) -> NDArray[np.float64]:
    raw = np.asarray(ecg, dtype=np.float64)
    if raw.ndim != 1 or not np.isfinite(raw).all():
        raise SignalNotFiniteError("the strip must be one-dimensional and finite")
    if not c.MIN_FS_HZ <= fs_hz <= c.MAX_FS_HZ:
        raise SamplingRateUnsupportedError(f"{fs_hz} Hz is outside {c.MIN_FS_HZ:g} to {c.MAX_FS_HZ:g} Hz")
    if raw.size < c.MIN_STRIP_S * fs_hz - 0.5:
        raise SignalTooShortError(f"{raw.size / fs_hz:.2f} s are shorter than {c.MIN_STRIP_S:g} s")
    centred = raw - np.median(raw)
    if np.ptp(centred) == 0.0:
        raise SignalFlatError("the strip is constant")
    return centred
