"""The shape of the heartbeats of a window, and what the window holds besides its heartbeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.beats import beat_units, cut_beats
from ml.runtime.ecg.signal.constants import BEAT_AFTER_S, BEAT_BEFORE_S, QRS_HALF_S, WORKING_FS_HZ
from ml.runtime.ecg.signal.filters import FloatArray

FS_HZ = WORKING_FS_HZ
BEFORE, AFTER = round(BEAT_BEFORE_S * FS_HZ), round(BEAT_AFTER_S * FS_HZ)
QRS = slice(BEFORE - round(QRS_HALF_S * FS_HZ), BEFORE + round(QRS_HALF_S * FS_HZ))
# From the end of the QRS to where the T wave ends at the heart rates of exercise.
T_WAVE = slice(BEFORE + round(0.12 * FS_HZ), BEFORE + round(0.33 * FS_HZ))
# A beat fades in and out where it is subtracted, so that its ends leave no steps behind.
FADE = round(0.05 * FS_HZ)

SHAPE_NAMES = (
    "log_qrs_size_deviation",
    "log_qrs_size_change",
    "usual_likeness",
    "low_likeness",
    "log_qrs_width",
    "log_t_size",
    "t_delay_s",
)
# Share of the QRS size below which differences are not resolved.
SIZE_RESOLUTION = 0.01
LIKENESS_LIMITS = (-0.99, 0.995)
LOW_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class TypicalBeat:
    """The beats of a window, and their common shape.

    Args:
        shape: Median of the beats without their offsets, unit of the ECG, float64, shape (n_samples,).
        sizes: Peak-to-peak amplitude of each QRS, same unit, float64, shape (n_beats,).
        likeness: Correlation of each beat with `shape`, float64, shape (n_beats,).
    """

    shape: NDArray[np.float64]
    sizes: NDArray[np.float64]
    likeness: NDArray[np.float64]

    @property
    def qrs_size(self) -> float:
        """The median QRS size, the unit of all other sizes."""
        return float(np.median(self.sizes))


def typical_beat(ecg: FloatArray, r_peaks: NDArray[np.int64]) -> TypicalBeat | None:
    """Find the common shape of the beats of a window.

    Args:
        ecg: At 250 Hz, any unit, float, shape (n_samples,).
        r_peaks: Sample indices, int64, shape (n_beats,).

    Returns:
        None if no beat lies whole within the window, or if beats are flat.
    """
    beats = np.asarray(cut_beats(ecg, FS_HZ, r_peaks, BEAT_BEFORE_S, BEAT_AFTER_S), dtype=np.float64)
    if not len(beats):
        return None
    beats = beats - np.median(beats, axis=1, keepdims=True)
    shape = np.median(beats, axis=0)
    sizes = np.ptp(beats[:, QRS], axis=1)
    if np.median(sizes) <= 0.0:
        return None
    return TypicalBeat(shape, sizes, beat_units(beats) @ beat_units(shape[None])[0])


def shape_features(beat: TypicalBeat) -> dict[str, float]:
    """Compute the available `SHAPE_NAMES`; mirroring or scaling the ECG changes nothing."""
    sizes = beat.sizes / beat.qrs_size
    likeness = np.clip(np.quantile(beat.likeness, (0.5, LOW_SHARE)), *LIKENESS_LIMITS)
    qrs, t_wave = beat.shape[QRS], beat.shape[T_WAVE]
    energy = (qrs - np.median(qrs)) ** 2
    found = {
        "usual_likeness": np.arctanh(likeness[0]),
        "low_likeness": np.arctanh(likeness[1]),
        "log_t_size": np.log(np.ptp(t_wave) / beat.qrs_size + SIZE_RESOLUTION),
        "t_delay_s": np.abs(t_wave - np.median(t_wave)).argmax() / FS_HZ,
    }
    if energy.max() > 0.0:
        found["log_qrs_width"] = np.log(energy.sum() / energy.max() / FS_HZ)
    if sizes.size >= 3:
        found["log_qrs_size_deviation"] = np.log(sizes.std() + SIZE_RESOLUTION)
    if sizes.size >= 4:
        found["log_qrs_size_change"] = np.log(np.abs(np.diff(sizes)).mean() + SIZE_RESOLUTION)
    return {name: float(value) for name, value in found.items()}


def without_beats(ecg: FloatArray, r_peaks: NDArray[np.int64], beat: TypicalBeat) -> NDArray[np.float64]:
    """Subtract the typical beat at every heartbeat; movement, muscle noise and drift remain.

    Args:
        ecg: As in `typical_beat`.
        r_peaks: All heartbeats, those partly inside the window included.
        beat: Their typical beat.

    Returns:
        Unit of the ECG, float64, shape (n_samples,).
    """
    left = np.asarray(ecg, dtype=np.float64).copy()
    fade = np.minimum(1.0, np.arange(BEFORE + AFTER) / (FADE - 1))
    shape = beat.shape * fade * fade[::-1]
    for peak in r_peaks.tolist():
        start, end = max(peak - BEFORE, 0), min(peak + AFTER, left.size)
        left[start:end] -= shape[start - (peak - BEFORE) : end - (peak - BEFORE)]
    return left
