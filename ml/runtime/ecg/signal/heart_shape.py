"""What no heart makes: waves with edges, and waves that stand alone.

A test generator, a charger or a relay gives pulses as regular as a heart's, and a network finds them alike in
everybody. A heart needs ten milliseconds and more to rise, and before or after its QRS lie a P or a T wave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.order_statistics import median

FloatArray = NDArray[np.float64]
Indices = NDArray[np.int64]

STEEPEST = 0.68
"""Of a wave's height between two samples at 250 Hz: at most 0.32 on CinC dev, 0.67 on QTDB, 0.47 on MIT-BIH,
0.50 in 99 % of LUDB. Square pulses of 4 to 30 ms reach 0.70 and more."""
EDGES_FROM_HZ = 200.0
"""At lower rates edges are as round as hearts."""
LEAST_BESIDE, LEAST_BESIDE_WIDE = 0.0045, 0.0025
"""Of the QRS's height, what lies before or after it: at least 0.0065 on CinC dev, 0.014 on LUDB, QTDB and
MIT-BIH. Pulses alone leave what filters add, up to 0.0043. Three of 300 computed hearts have no more, but a
QRS that pulses of 30 ms and less do not reach."""
WIDE_S, _FOOT = 0.056, 0.05
_QRS_REACH_S = 0.06
_BEFORE_S, _QRS_BEFORE_S = 0.26, 0.07
_QRS_AFTER_S, _AFTER_S, _AFTER_SHARE_OF_RR = 0.10, 0.42, 0.6
_SHORTEST = 16


def has_edges(ecg: FloatArray, fs_hz: float, r_peaks: Indices) -> bool:
    """Whether the waves rise faster than a heart can.

    Args:
        ecg: Before the band-pass, which rounds edges; any unit, float64, shape (n_samples,).
        fs_hz: Sampling rate, 250.
        r_peaks: Sample indices of the waves.
    """
    reach = round(_QRS_REACH_S * fs_hz)
    whole = r_peaks[(r_peaks >= reach) & (r_peaks < ecg.size - reach)]
    if not whole.size:
        return False
    waves = ecg[whole[:, None] + np.arange(-reach, reach + 1)]
    height = np.ptp(waves, axis=1)
    steps = np.abs(np.diff(waves, axis=1)).max(axis=1)
    return median(steps / np.maximum(height, 1e-300)) > STEEPEST


def stands_alone(ecg: FloatArray, fs_hz: float, r_peaks: Indices) -> bool:
    """Whether nothing lies before or after the waves, in the mean of all of them.

    Noise that the mean leaves counts as something: of a poor strip this says nothing.

    Args:
        ecg: Band-passed; any unit, float64, shape (n_samples,).
        fs_hz: Sampling rate, 250.
        r_peaks: Sample indices of the waves; with fewer than two whole ones nothing can be said.
    """
    before, after = round(_BEFORE_S * fs_hz), round(_AFTER_S * fs_hz)
    whole = r_peaks[(r_peaks >= before) & (r_peaks < ecg.size - after)]
    if whole.size < 2:
        return False
    beat = ecg[whole[:, None] + np.arange(-before, after)].mean(axis=0)
    usual_rr = median(np.diff(r_peaks))
    start = max(0, before + round(_QRS_AFTER_S * fs_hz) - int(usual_rr))  # Behind the wave before.
    end = min(before + after, before + int(_AFTER_SHARE_OF_RR * usual_rr))
    parts = (
        beat[start : before - round(_QRS_BEFORE_S * fs_hz)],
        beat[before + round(_QRS_AFTER_S * fs_hz) : end],
    )
    reach = round(_QRS_REACH_S * fs_hz)
    height = float(np.ptp(beat[before - reach : before + reach + 1]))
    around = beat[before - 2 * reach + reach // 2 : before + 2 * reach - reach // 2] - median(beat)
    width_s = np.count_nonzero(np.abs(around) > _FOOT * height) / fs_hz
    least = LEAST_BESIDE_WIDE if width_s > WIDE_S else LEAST_BESIDE
    return max(map(_deviation, parts)) < least * height


def _deviation(part: FloatArray) -> float:
    """Standard deviation about a slope; 0 of a part too short to hold a wave."""
    if part.size < _SHORTEST:
        return 0.0
    along = np.linspace(-1.0, 1.0, part.size)
    level = part - part.mean()
    return float((level - along * (along @ level) / (along @ along)).std())
