"""ECG strips with known beats, drawn from a few Gaussian waves; independent of ml.synthetic.ecg."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Centre and width in seconds about R, height in millivolts: P, Q, R, S, T.
NORMAL_BEAT = (
    (-0.18, 0.022, 0.12),
    (-0.028, 0.009, -0.10),
    (0.0, 0.011, 1.0),
    (0.03, 0.010, -0.22),
    (0.27, 0.045, 0.28),
)
VENTRICULAR_BEAT = ((0.0, 0.032, 1.4), (0.075, 0.036, -0.5), (0.31, 0.060, -0.40))


@dataclass(frozen=True)
class Strip:
    """A strip and the truth about it."""

    ecg_mv: NDArray[np.float64]
    fs_hz: float
    r_times_s: NDArray[np.float64]


def beat(times_s: NDArray[np.float64], waves: tuple[tuple[float, float, float], ...]) -> NDArray[np.float64]:
    """One heartbeat with R at time 0."""
    return np.sum([h * np.exp(-0.5 * ((times_s - at) / width) ** 2) for at, width, h in waves], axis=0)


def strip(
    fs_hz: float = 250.0,
    seconds: float = 10.0,
    *,
    rr_s: float = 0.83,
    noise_mv: float = 0.01,
    seed: int = 0,
    ectopic_every: int | None = None,
) -> Strip:
    """A strip with a little respiratory arrhythmia; the same beats for every sampling rate.

    Args:
        fs_hz: Sampling rate.
        seconds: Length.
        rr_s: Mean RR interval.
        noise_mv: Standard deviation of white noise.
        seed: Of the noise.
        ectopic_every: Every so manieth beat is a premature, wide ventricular one.
    """
    beats = np.arange(int(seconds / rr_s) + 1)
    r_times_s = 0.4 + rr_s * beats + 0.02 * np.sin(0.9 * beats)
    is_ectopic = np.zeros(beats.size, dtype=bool)
    if ectopic_every is not None:
        is_ectopic[ectopic_every - 1 :: ectopic_every] = True
        r_times_s = r_times_s - 0.3 * rr_s * is_ectopic
    inside = r_times_s < seconds - 0.1
    r_times_s, is_ectopic = r_times_s[inside], is_ectopic[inside]

    times_s = np.arange(round(seconds * fs_hz)) / fs_hz
    ecg_mv = noise_mv * np.random.default_rng(seed).standard_normal(times_s.size)
    for at, ectopic in zip(r_times_s, is_ectopic, strict=True):
        near = slice(max(0, round((at - 0.6) * fs_hz)), round((at + 0.8) * fs_hz))
        ecg_mv[near] += beat(times_s[near] - at, VENTRICULAR_BEAT if ectopic else NORMAL_BEAT)
    return Strip(ecg_mv, fs_hz, r_times_s)
