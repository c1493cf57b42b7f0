"""One half of what a head reads of a window of ECG: numbers with names, made by hand.

They know neither the unit nor the polarity of the signal, nor anything outside the window but where its
heartbeats are and how its strip was filtered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.activity.beat_shape import SHAPE_NAMES, shape_features, typical_beat, without_beats
from ml.runtime.ecg.activity.movement import MOVEMENT_NAMES, movement_features
from ml.runtime.ecg.activity.rhythm import RHYTHM_NAMES, rhythm_features
from ml.runtime.ecg.signal.conditioning import ConditionedEcg
from ml.runtime.ecg.signal.quality import SignalQuality

FEATURE_NAMES = (*RHYTHM_NAMES, *SHAPE_NAMES, *MOVEMENT_NAMES, "quality")
# What of these is compared with the wearer at rest: the first, those of the rhythm and of the beats. The
# others change with electrode and place more than with the wearer.
N_REST = len(RHYTHM_NAMES) + len(SHAPE_NAMES)


def window_features(strip: ConditionedEcg, start_s: float, end_s: float) -> NDArray[np.float64]:
    """Describe a window.

    Args:
        strip: Conditioned or examined by `ml.runtime.ecg.signal.conditioning`.
        start_s, end_s: Of the window, within the strip; 3 s or more.

    Returns:
        In the order of `FEATURE_NAMES`, float64, shape (n_features,); NaN where the window has too few
        heartbeats to say. For `-ecg` the same, and for any gain.
    """
    first, end = round(start_s * strip.fs_hz), round(end_s * strip.fs_hz)
    ecg = np.asarray(strip.ecg[first:end], dtype=np.float64)
    peaks = strip.r_peaks[(strip.r_peaks >= first) & (strip.r_peaks < end)] - first
    found = rhythm_features(peaks / strip.fs_hz)
    found["quality"] = mean_quality(strip.quality, start_s, end_s)
    beat = typical_beat(ecg, peaks)
    if beat is not None:
        left = without_beats(ecg, peaks, beat)
        found |= shape_features(beat) | movement_features(left, beat.qrs_size)
    return np.array([found.get(name, np.nan) for name in FEATURE_NAMES])


def mean_quality(quality: SignalQuality, start_s: float, end_s: float) -> float:
    """Quality within a window, 0 to 1: of the segments it meets, by how much of them it holds."""
    overlaps_s = np.array([min(s.end_s, end_s) - max(s.start_s, start_s) for s in quality.segments])
    scores = np.array([s.score for s in quality.segments])
    inside = overlaps_s > 0.0
    if not inside.any():
        return quality.score
    return float(np.average(scores[inside], weights=overlaps_s[inside]))
