"""Heartbeats of a strip: positions, shapes, outliers."""

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.filters import FloatArray, band_pass, resample
from ml.runtime.ecg.signal.order_statistics import median, median_row
from ml.runtime.ecg.signal.qrs import locate_qrs


def detect_r_peaks(ecg: FloatArray, fs_hz: float) -> NDArray[np.int64]:
    """Find the heartbeats of a raw strip.

    Args:
        ecg: Any unit and amplitude, finite, float, shape (n_samples,).
        fs_hz: Sampling rate, 100 to 2000.

    Returns:
        Increasing sample indices at `fs_hz`, int64, shape (n_beats,); the same for `ecg` and `-ecg`.
    """
    x = np.asarray(ecg, dtype=np.float64)
    if x.size < 2:
        return np.empty(0, dtype=np.int64)
    at_working_rate = resample(x - np.median(x), fs_hz, c.WORKING_FS_HZ)
    drift_free = band_pass(at_working_rate, c.WORKING_FS_HZ, c.BAND_LOW_HZ, c.BAND_HIGH_HZ)
    peaks = np.rint(locate_qrs(drift_free) * (fs_hz / c.WORKING_FS_HZ)).astype(np.int64)
    return np.unique(np.minimum(peaks, x.size - 1))


def cut_beats(
    ecg: FloatArray, fs_hz: float, r_peaks: NDArray[np.int64], before_s: float, after_s: float
) -> FloatArray:
    """Cut a window around each R peak; beats that are cut off by an end of the strip are left out.

    Args:
        ecg: Any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        r_peaks: Sample indices, shape (n_peaks,).
        before_s: Start of the window before R.
        after_s: End of the window after R.

    Returns:
        Same unit and dtype, shape (n_beats, round(before_s · fs_hz) + round(after_s · fs_hz)).
    """
    offsets = np.arange(-round(before_s * fs_hz), round(after_s * fs_hz))
    peaks = r_peaks[whole_beats(ecg.size, fs_hz, r_peaks, before_s, after_s)]
    return np.asarray(ecg[peaks[:, None] + offsets])


def whole_beats(
    n_samples: int, fs_hz: float, r_peaks: NDArray[np.int64], before_s: float, after_s: float
) -> NDArray[np.bool_]:
    """Mask of beats that lie whole within the strip: bool, shape (n_peaks,)."""
    first = r_peaks - round(before_s * fs_hz)
    end = r_peaks + round(after_s * fs_hz)
    return np.asarray((first >= 0) & (end <= n_samples))


def beat_units(beats: FloatArray) -> NDArray[np.float64]:
    """Beats without offset, scaled to length 1, so that none weighs more than another.

    Args:
        beats: Any unit, float, shape (n_beats, n_samples).

    Returns:
        float64, same shape; a constant beat becomes zeros.
    """
    centered = np.asarray(beats, dtype=np.float64)
    centered = centered - centered.mean(axis=1, keepdims=True)
    lengths = np.sqrt((centered * centered).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(centered, lengths, out=np.zeros_like(centered), where=lengths > 0.0))


def reject_outlier_beats(beats: FloatArray, units: NDArray[np.float64] | None = None) -> NDArray[np.bool_]:
    """Find the beats that resemble most others in shape and size.

    Args:
        beats: Any unit, float, shape (n_beats, n_samples).
        units: Their `beat_units`, if already known.

    Returns:
        True = keep; bool, shape (n_beats,), never all false for a non-empty input. With fewer than three
        beats the outlier is unknown, and all are kept.
    """
    everything = np.ones(len(beats), dtype=np.bool_)
    if len(beats) < 3:
        return everything
    units = beat_units(beats) if units is None else units
    likeness = units @ beat_units(median_row(units)[None])[0]
    size = beats.max(axis=1) - beats.min(axis=1)
    usual = median(size)
    smallest, largest = c.OUTLIER_SIZES
    alike = likeness >= median(likeness) - c.OUTLIER_MARGIN
    keep = alike & (size >= smallest * usual) & (size <= largest * usual)
    return keep if keep.any() else everything


def heart_rate_bpm(r_peaks: NDArray[np.int64], fs_hz: float) -> float | None:
    """Heart rate from the median RR interval; None with fewer than two beats."""
    if r_peaks.size < 2:
        return None
    return 60.0 * fs_hz / median(np.diff(r_peaks))
