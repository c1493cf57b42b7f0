"""What tells a heart from everything else that repeats: the mean beat, how beats differ, rhythm, spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.order_statistics import median

FloatArray = NDArray[np.float64]
Indices = NDArray[np.int64]

FEWEST_BEATS = 2
BEFORE, AFTER, EVERY = 80, 140, 2
"""Samples at 250 Hz around each R peak: 0.32 s before to 0.56 s after, in means of two."""
QRS_REACH = 15
BAND_EDGES_HZ = (0.5, 2.0, 4.0, 8.0, 13.0, 20.0, 30.0, 40.0)
N_SHAPE = (BEFORE + AFTER) // EVERY
N_FIGURES = 17
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class HeartFeatures:
    """Of the beats of a strip; only `shape` changes its sign with the strip's, nothing depends on its gain.

    Args:
        shape: The mean beat about its median in multiples of the height of its QRS, (N_SHAPE,).
        spread: Logarithm of the deviation of the beats from it, (N_SHAPE,).
        figures: Rhythm, sizes, edges, spectrum, smoothness, (N_FIGURES,).
    """

    shape: FloatArray
    spread: FloatArray
    figures: FloatArray


def heart_features(ecg: FloatArray, raw: FloatArray, fs_hz: float, r_peaks: Indices) -> HeartFeatures:
    """Describe the beats of a strip.

    Args:
        ecg: Band-passed; any unit, float64, shape (n_samples,).
        raw: The same before the band-pass, which rounds edges.
        fs_hz: Sampling rate, 250.
        r_peaks: Sample indices of at least two beats. What lies beyond an end of the strip is its last value.
    """
    beats = ecg.take(r_peaks[:, None] + np.arange(-BEFORE, AFTER), mode="clip")
    beats -= np.median(beats, axis=1, keepdims=True)
    mean = beats.sum(axis=0) / len(beats)
    qrs = mean[BEFORE - QRS_REACH : BEFORE + QRS_REACH + 1]
    height = max(float(qrs.max() - qrs.min()), _TINY)
    off = beats - mean
    deviation = np.sqrt(np.einsum("ij,ij->j", off, off) / len(beats))
    figures = (
        *_rhythm(r_peaks, fs_hz),
        *_sizes(beats, mean),
        _steepest(raw, r_peaks),
        *_bands(ecg, fs_hz),
        *_beside_qrs(mean / height),
    )
    return HeartFeatures(
        shape=(mean / height).reshape(-1, EVERY).mean(axis=1),
        spread=np.log(0.01 + (deviation / height).reshape(-1, EVERY).mean(axis=1)),
        figures=np.array(figures),
    )


def _rhythm(r_peaks: Indices, fs_hz: float) -> tuple[float, ...]:
    """Usual RR interval, its deviation, its jumps from beat to beat, and how many there are."""
    rr_s = np.diff(r_peaks) / fs_hz
    usual_s = median(rr_s)
    off_s = rr_s - rr_s.sum() / rr_s.size
    deviation = math.sqrt(float(off_s @ off_s) / rr_s.size) / usual_s
    jumps = float(np.abs(np.diff(rr_s)).mean()) / usual_s if rr_s.size > 1 else deviation
    return math.log(usual_s), _log(0.002, deviation), _log(0.002, jumps), math.log(rr_s.size)


def _sizes(beats: FloatArray, mean: FloatArray) -> tuple[float, ...]:
    """How beats differ in size, and what of them the mean does not explain."""
    unit = mean / max(float(np.sqrt(mean @ mean)), _TINY)
    along = beats @ unit
    usual = max(abs(float(along.mean())), _TINY)
    total = max(float(np.einsum("ij,ij->", beats, beats)), _TINY)
    rest = max(0.0, 1.0 - float(along @ along) / total)
    return _log(0.01, float(along.std()) / usual), _log(1e-4, rest)


def _steepest(raw: FloatArray, r_peaks: Indices) -> float:
    """The largest step between two samples of a QRS, as a share of its height."""
    waves = raw.take(r_peaks[:, None] + np.arange(-QRS_REACH, QRS_REACH + 1), mode="clip")
    heights = np.maximum(np.ptp(waves, axis=1), _TINY)
    return median(np.abs(np.diff(waves, axis=1)).max(axis=1) / heights)


def _bands(ecg: FloatArray, fs_hz: float) -> tuple[float, ...]:
    """Shares of the power in bands, and of the strongest single frequency."""
    power = np.abs(np.fft.rfft(ecg - ecg.mean())) ** 2
    edges = np.searchsorted(np.arange(power.size) * (fs_hz / ecg.size), BAND_EDGES_HZ)
    within = power[edges[0] : edges[-1]]
    total = max(float(within.sum()), _TINY)
    shares = np.add.reduceat(within, edges[:-1] - edges[0]) / total
    return *(_log(1e-4, float(share)) for share in shares), _log(1e-4, float(within.max()) / total)


def _beside_qrs(shape: FloatArray) -> tuple[float, ...]:
    """How rough P and T are, and how large."""
    beside = np.concatenate((shape[: BEFORE - 20], shape[BEFORE + 30 :]))
    bend = np.diff(beside, 2)
    return _log(1e-5, float(np.sqrt((bend @ bend) / bend.size))), _log(1e-4, float(beside.std()))


def _log(floor: float, value: float) -> float:
    return math.log(floor + value)
