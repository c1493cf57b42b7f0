"""Pacemakers: a spike at the same moment before every QRS.

Paced ventricles beat alike in different people, so that strangers match more often than stated even where
the spikes themselves are bridged. Recorders and filters may take the spikes out; then nothing tells.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.order_statistics import median

FloatArray = NDArray[np.float64]
Indices = NDArray[np.int64]

EARLIEST_S, LATEST_S = 0.15, 0.035
"""Before R. The spike of an atrium comes earlier, and what follows is the person's own QRS."""
MOST_SPREAD_S: Final = 0.012
LEAST_SHARE: Final = 0.4
"""Of the beats follow a spike; those of a demand pacemaker need not all be paced."""
FEWEST: Final = 3
LEAST_OF_HEIGHT, LEAST_OF_QRS = 0.22, 1.4
"""The mean bend of a spike, of the height of the mean beat and of the sharpest bend of its QRS.

Chosen on LUDB. With impulses, six of ten paced people are seen in lead I, three in lead II, and none of 190
others; of 797 people of CinC dev and 102 of QTDB nobody.
"""
_QRS_REACH = 10
_BEAT_REACH = 60


def spikes_before_beats(spikes_s: FloatArray, beats_s: FloatArray) -> bool:
    """Whether spikes stand at one distance before many beats.

    Args:
        spikes_s: Moments of impulses in the strip as sent, ascending.
        beats_s: Moments of R peaks, ascending.
    """
    if not spikes_s.size or beats_s.size < FEWEST:
        return False
    next_beat = np.searchsorted(beats_s, spikes_s + LATEST_S)
    known = next_beat < beats_s.size
    lags_s = beats_s[next_beat[known]] - spikes_s[known]
    near = lags_s <= EARLIEST_S
    led = np.unique(next_beat[known][near]).size
    if led < max(FEWEST, LEAST_SHARE * beats_s.size):
        return False
    lags_s = lags_s[near]
    return median(np.abs(lags_s - median(lags_s))) <= MOST_SPREAD_S


def mean_beat_has_spike(ecg: FloatArray, fs_hz: float, r_peaks: Indices) -> bool:
    """Whether what is left of spikes stands out in the mean beat, where they were too broad for impulses.

    Args:
        ecg: Before the band-pass; any unit, float64, shape (n_samples,).
        fs_hz: Sampling rate, 250.
        r_peaks: Sample indices of the beats.
    """
    whole = r_peaks[(r_peaks >= _BEAT_REACH) & (r_peaks < ecg.size - _BEAT_REACH)]
    if whole.size < FEWEST:
        return False
    beats = ecg[whole[:, None] + np.arange(-_BEAT_REACH, _BEAT_REACH)]
    steps = beats[:, 1:] - beats[:, :-1]
    bends = np.abs(steps[:, 1:] - steps[:, :-1]).mean(axis=0)  # Centered a sample later than it is numbered.
    first, last = (_BEAT_REACH - 1 - round(s * fs_hz) for s in (EARLIEST_S, LATEST_S))
    spike = float(bends[first:last].max())
    qrs = float(bends[last : _BEAT_REACH + _QRS_REACH].max())
    if spike <= LEAST_OF_QRS * qrs:  # In most strips.
        return False
    return spike > LEAST_OF_HEIGHT * float(np.ptp(np.median(beats, axis=0)))
