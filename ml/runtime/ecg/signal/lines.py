"""Narrow lines: hum of engines, chargers and test generators anywhere in the band of the heart.

A line that two strips share makes strangers alike. A heart has lines of its own, the multiples of its rate.
They stand in a row of similar height, and are as wide as the rate varies; a foreign line stands alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LOWEST_HZ, HIGHEST_HZ = 4.0, 45.0
HIGHEST_WITHOUT_NOTCH_HZ = 80.0
"""Where the sampling rate was too low to notch 60 Hz, hum and its image are lines like others."""
NEIGHBORS_HZ = 4.0
"""Beyond the next multiple of any heart rate."""
WIDTH_HZ = 0.6
STANDS_OUT = 5.0
"""A line has so many times the power of anything near.

Of 10-s strips of 400 people of CinC dev, 200 of LUDB, 60 of QTDB and 48 of MIT-BIH one has such a line.
"""
MOST_LINES = 4
_FINER = 4


def without_lines(ecg: FloatArray, fs_hz: float, highest_hz: float = HIGHEST_HZ) -> FloatArray:
    """Subtract what can be nothing but a line, with an amplitude that may change along the strip.

    A notch would ring for seconds; a strip is short.

    Args:
        ecg: Any unit, float64, shape (n_samples,).
        fs_hz: Sampling rate, more than twice the highest.
        highest_hz: Up to where lines are sought.

    Returns:
        The same array where there is no line, as in most strips.
    """
    for _ in range(MOST_LINES):
        line_hz = _strongest_line(ecg, fs_hz, highest_hz)
        if line_hz is None:
            break
        ecg = ecg - _fitted_line(ecg, line_hz / fs_hz)
    return ecg


def _strongest_line(ecg: FloatArray, fs_hz: float, highest_hz: float) -> float | None:
    n = ecg.size
    spectrum = np.abs(np.fft.rfft(ecg * np.hanning(n), _FINER * n)) ** 2
    places_hz = np.arange(spectrum.size) * (fs_hz / (_FINER * n))
    inside = (places_hz >= LOWEST_HZ) & (places_hz <= highest_hz)
    peak = int(np.where(inside, spectrum, 0.0).argmax())
    own_hz = max(WIDTH_HZ, 2.5 * fs_hz / n)  # A window's own width in short strips.
    away_hz = np.abs(places_hz - places_hz[peak])
    near = (away_hz > own_hz) & (away_hz <= NEIGHBORS_HZ + own_hz)
    if spectrum[peak] <= STANDS_OUT * spectrum[near].max(initial=0.0):
        return None
    before, at, after = np.log(spectrum[peak - 1 : peak + 2])
    shift = 0.5 * (before - after) / (before - 2.0 * at + after)
    return float(places_hz[peak] + shift * places_hz[1])


def _fitted_line(ecg: FloatArray, cycles_per_sample: float) -> FloatArray:
    """Least squares of a sine whose amplitude and phase change linearly."""
    samples = np.arange(ecg.size)
    angle = 2.0 * np.pi * cycles_per_sample * samples
    along = np.linspace(-1.0, 1.0, ecg.size)
    terms = np.stack([part * slope for part in (np.cos(angle), np.sin(angle)) for slope in (1.0, along)])
    weights = np.linalg.solve(terms @ terms.T, terms @ ecg)
    return np.asarray(weights @ terms)
