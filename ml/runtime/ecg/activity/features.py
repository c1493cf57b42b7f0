"""Hand-crafted features of a window of ECG; a head reads them beside those of the trunk.

They do not depend on the unit or the polarity of the signal. Of the rest of the strip they use only where
heartbeats are and how the strip was filtered.
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
# The first features, of rhythm and beats, are compared with the wearer at rest. The others vary with
# electrode and placement more than with the wearer.
N_REST = len(RHYTHM_NAMES) + len(SHAPE_NAMES)


def window_features(strip: ConditionedEcg, start_s: float, end_s: float) -> NDArray[np.float64]:
    """Compute the features of a window.

    Args:
        strip: Conditioned or examined by `ml.runtime.ecg.signal.conditioning`.
        start_s, end_s: Of the window, within the strip; 3 s or more.

    Returns:
        In the order of `FEATURE_NAMES`, float64, shape (n_features,); NaN where the window has too few
        heartbeats. Mirroring or scaling the ECG changes nothing.
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
    """Mean quality of a window, 0 to 1: that of its segments, weighted by their overlap with the window."""
    overlaps_s = np.array([min(s.end_s, end_s) - max(s.start_s, start_s) for s in quality.segments])
    scores = np.array([s.score for s in quality.segments])
    inside = overlaps_s > 0.0
    if not inside.any():
        return quality.score
    return float(np.average(scores[inside], weights=overlaps_s[inside]))
