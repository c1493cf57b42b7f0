"""Does a strip look as if it was read wrongly: at another rate, or as numbers of another type?

Such strips are accepted and resemble each other, but nothing that is read correctly. Only a warning is due:
real hearts may be slow, fast and broad.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ml.runtime.ecg.raw_ecg import FloatArray
from ml.runtime.ecg.signal.conditioning import ConditionedEcg

IMPLAUSIBLE_RATE: Final = "implausible_heart_rate"
IMPLAUSIBLE_WIDTH: Final = "implausible_beat_width"
REPEATED_VALUES: Final = "repeated_values"

RESTING_BPM: Final = (40.0, 130.0)
NARROWEST_S, BROADEST_S, BROAD_BELOW_BPM = 0.027, 0.058, 60.0
"""What holds the middle 80 % of the slope energy of a QRS; a broad one counts with a slow rate only.

Chosen on 800 people of CinC dev, 10 s each. As they are, 3.0 % of them get a warning for the rate that they
have, and 0.9 % for the width. Read at twice their rate, 91 % of those who are accepted get one or the other,
at half of it 90 %.
"""
FEW_VALUES, MANY_VALUES = 8, 32
"""The upper halves of 32-bit samples take few values where the lower halves take many."""
HELD_SHARE, OTHERS_SHARE = 0.98, 0.5
"""Of the steps are 0 where every sample was sent twice, and of those between them."""
_REACH = 25
_MIDDLE = (0.1, 0.9)


def warnings_of(raw: FloatArray, strip: ConditionedEcg) -> tuple[str, ...]:
    """Codes of what is odd about an accepted strip, none as a rule.

    Args:
        raw: As sent, any unit, NaN where missing, shape (n_samples,).
        strip: What became of it.
    """
    found = {
        IMPLAUSIBLE_RATE: _rate_is_odd(strip.heart_rate_bpm),
        IMPLAUSIBLE_WIDTH: _width_is_odd(strip),
        REPEATED_VALUES: _alternates(raw) or _is_held(raw),
    }
    return tuple(code for code, holds in found.items() if holds)


def _rate_is_odd(heart_rate_bpm: float | None) -> bool:
    return heart_rate_bpm is not None and not RESTING_BPM[0] <= heart_rate_bpm <= RESTING_BPM[1]


def _width_is_odd(strip: ConditionedEcg) -> bool:
    if strip.heart_rate_bpm is None:
        return False
    width_s = qrs_width_s(strip)
    return width_s < NARROWEST_S or (width_s > BROADEST_S and strip.heart_rate_bpm < BROAD_BELOW_BPM)


def qrs_width_s(strip: ConditionedEcg) -> float:
    """How long the middle 80 % of the slope energy of the median QRS takes; at least one accepted beat."""
    places = strip.accepted_r_peaks[:, None] + np.arange(-_REACH, _REACH + 1)
    qrs = strip.ecg.take(places, mode="clip").astype(np.float64)
    energy = np.diff(np.median(qrs - np.median(qrs, axis=1, keepdims=True), axis=0)) ** 2
    share = np.cumsum(energy) / max(float(energy.sum()), 1e-300)
    first, last = np.interp(_MIDDLE, share, np.arange(energy.size))
    return float(last - first) / strip.fs_hz


def _alternates(raw: FloatArray) -> bool:
    """Whether every second sample takes a few values, and the others many."""
    few, many = sorted(np.unique(raw[first::2]).size for first in range(2))
    return few <= FEW_VALUES and many >= MANY_VALUES


def _is_held(raw: FloatArray) -> bool:
    """Whether every second sample repeats the one before, and the others do not."""
    steps = np.diff(raw[: raw.size // 2 * 2])
    others, held = sorted((_share_of_zeros(steps[::2]), _share_of_zeros(steps[1::2])))
    return held >= HELD_SHARE and others <= OTHERS_SHARE


def _share_of_zeros(steps: FloatArray) -> float:
    known = steps[~np.isnan(steps)]
    return np.count_nonzero(known == 0.0) / max(known.size, 1)
