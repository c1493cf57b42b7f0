"""What a picture of a strip shows: beats laid over each other beside the strip itself.

None of it shapes a vector. It is computed when a picture is wanted, and never while encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.mean_beat import FloatArray, MeanBeatConfig, align_beats, drift_projection, robust_mean
from ml.runtime.ecg.signal.beats import cut_beats
from ml.runtime.ecg.signal.conditioning import ConditionedEcg
from ml.runtime.ecg.signal.quality import Segment

_BEAT: Final = MeanBeatConfig()


@dataclass(frozen=True, eq=False, repr=False)
class EcgDrawing:
    """A strip and its beats, ready to be drawn. Biometric data: never logged.

    Args:
        ecg: Conditioned, the unit of the raw strip, float32, shape (n_samples,).
        fs_hz: Sampling rate of `ecg`.
        r_peaks: Sample indices of all heartbeats, int64, shape (n_beats,).
        accepted: Which of them lie in accepted segments, bool, shape (n_beats,).
        segments: Verdicts along the strip, in order, without gaps.
        beat_times_s: Time after R of the samples of a beat, float64, shape (n,).
        beats: Whole accepted beats, aligned and without drift, float64, shape (n_whole, n).
        mean_beat: Their robust mean, float64, shape (n,); None without whole beats.
    """

    ecg: NDArray[np.float32]
    fs_hz: float
    r_peaks: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    segments: tuple[Segment, ...]
    beat_times_s: NDArray[np.float64]
    beats: NDArray[np.float64]
    mean_beat: NDArray[np.float64] | None


def draw_strip(strip: ConditionedEcg) -> EcgDrawing:
    """Collect what a picture shows of a conditioned strip, accepted or not."""
    marks = align_beats(strip.ecg, strip.fs_hz, strip.accepted_r_peaks, _BEAT)
    beats = _without_drift(cut_beats(strip.ecg, strip.fs_hz, marks, _BEAT.before_s, _BEAT.after_s))
    everywhere = np.ones(beats.shape, dtype=np.bool_)
    mean = robust_mean(beats, everywhere, slice(None), _BEAT.huber_deviations) if len(beats) else None
    return EcgDrawing(
        ecg=strip.ecg,
        fs_hz=strip.fs_hz,
        r_peaks=strip.r_peaks,
        accepted=strip.quality.accepts(strip.r_peaks / strip.fs_hz),
        segments=strip.quality.segments,
        beat_times_s=np.arange(beats.shape[1]) / strip.fs_hz - _BEAT.before_s,
        beats=beats,
        mean_beat=mean,
    )


def _without_drift(beats: FloatArray) -> NDArray[np.float64]:
    """Subtract from each beat its best-fitting polynomial, as before a mean beat; the shape stays."""
    wide = beats.astype(np.float64)
    return wide - wide @ drift_projection(wide.shape[1], _BEAT.drift_order).T
