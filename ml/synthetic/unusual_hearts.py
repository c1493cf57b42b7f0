"""Computed hearts far from the usual, so that what asks "is this a heart?" does not only know healthy ones.

A beat is a sum of bells, as of `ml.synthetic.ecg`, drawn wider: broad, notched, split or small QRS, deep S,
absent, tall or inverted P, inverted, flat or giant T, raised or lowered ST, slow and fast, regular and
irregular, the odd beat that comes early and broad.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Bell(NamedTuple):
    """Height, mV; center after R, s; deviation, s."""

    height: float
    at: float
    width: float


def draw_unusual_heart(seed: int, duration_s: float, fs_hz: float) -> NDArray[np.float32]:
    """A recording of a computed heart; equal seeds give equal ones.

    Returns:
        Millivolts, float32, shape (round(duration_s × fs_hz),).
    """
    rng = Generator(PCG64(SeedSequence([seed, *b"unusual heart"])))
    time_s = np.arange(round(duration_s * fs_hz)) / fs_hz
    rate_bpm = np.exp(rng.uniform(np.log(42.0), np.log(150.0)))
    beat, early = _beat(rng, rate_bpm), _beat(rng, rate_bpm, broad=True)
    breath = np.sin(2.0 * np.pi * (rng.uniform(0.15, 0.4) * time_s + rng.random()))
    swing, early_share = rng.uniform(0.0, 0.1), rng.choice([0.0, 0.0, 0.0, 0.1])
    ecg = np.zeros(time_s.size)
    for r_s in _r_peaks(rng, duration_s, rate_bpm):
        bells = early if rng.random() < early_share else beat
        grown = 1.0 + swing * np.sin(2.0 * np.pi * 0.25 * r_s) + 0.02 * rng.standard_normal()
        for height, at, width in bells:
            ecg += grown * height * np.exp(-0.5 * ((time_s - r_s - at) / width) ** 2)
    noise_mv = np.exp(rng.uniform(np.log(0.002), np.log(0.08)))
    noise = np.convolve(rng.standard_normal(time_s.size), np.ones(rng.integers(1, 4)), mode="same")
    ecg += noise_mv * noise + 0.1 * rng.random() * breath
    return np.asarray(ecg * rng.choice([-1.0, 1.0]), dtype=np.float32)


def _beat(rng: Generator, rate_bpm: float, *, broad: bool = False) -> list[Bell]:
    kind = "broad" if broad else rng.choice(["usual", "broad", "split", "chance"], p=[0.3, 0.35, 0.2, 0.15])
    qrs = {"usual": _usual_qrs, "broad": _broad_qrs, "split": _split_qrs, "chance": _qrs_of_chance}[kind](rng)
    area = sum(bell.height * bell.width for bell in qrs)
    size = max(abs(bell.height) for bell in qrs)
    against = (
        -np.sign(area) if kind != "usual" and rng.random() < 0.7 else rng.choice([1.0, -1.0], p=[0.75, 0.25])
    )
    return [*qrs, *_p_wave(rng, size), *_repolarization(rng, size, against, rate_bpm)]


def _usual_qrs(rng: Generator) -> list[Bell]:
    return [
        Bell(-rng.uniform(0.0, 0.25), -rng.uniform(0.022, 0.044), rng.uniform(0.006, 0.013)),
        Bell(rng.uniform(0.4, 1.5), 0.0, rng.uniform(0.008, 0.018)),
        Bell(-rng.uniform(0.0, 0.6), rng.uniform(0.022, 0.05), rng.uniform(0.007, 0.018)),
    ]


def _broad_qrs(rng: Generator) -> list[Bell]:
    """A bundle branch block or a beat of a ventricle: one broad wave, with or without a shoulder."""
    first = Bell(rng.uniform(0.5, 1.5), 0.0, rng.uniform(0.015, 0.036))
    if rng.random() < 0.35:
        return [first]
    return [
        first,
        Bell(rng.uniform(-1.3, 1.0), rng.uniform(0.03, 0.12), rng.uniform(0.012, 0.04)),
        Bell(rng.uniform(-0.3, 0.3), -rng.uniform(0.03, 0.07), rng.uniform(0.008, 0.02)),
    ]


def _split_qrs(rng: Generator) -> list[Bell]:
    """Two peaks, or a deep S."""
    first = Bell(rng.uniform(0.2, 1.2), 0.0, rng.uniform(0.008, 0.016))
    second = rng.choice([1.0, -1.0]) * rng.uniform(0.3, 1.2)
    return [
        first,
        Bell(second, rng.uniform(0.025, 0.08), rng.uniform(0.01, 0.03)),
        Bell(-rng.uniform(0.0, 0.3), -rng.uniform(0.02, 0.04), rng.uniform(0.006, 0.015)),
    ]


def _qrs_of_chance(rng: Generator) -> list[Bell]:
    bells = [
        Bell(
            rng.standard_normal(), rng.uniform(-0.05, 0.05), np.exp(rng.uniform(np.log(0.007), np.log(0.025)))
        )
        for _ in range(rng.integers(2, 6))
    ]
    return [*bells, Bell(rng.choice([-1.0, 1.0]), 0.0, rng.uniform(0.008, 0.02))]


def _p_wave(rng: Generator, size: float) -> list[Bell]:
    if rng.random() < 0.3:
        return []
    height = size * np.exp(rng.uniform(np.log(0.02), np.log(0.35))) * rng.choice([1.0, -1.0], p=[0.85, 0.15])
    at, width = -rng.uniform(0.11, 0.24), rng.uniform(0.014, 0.032)
    second = Bell(height * rng.uniform(0.0, 0.8), at + rng.uniform(0.02, 0.05), width)  # Notched.
    return [Bell(height, at, width), second]


def _repolarization(rng: Generator, size: float, sign: float, rate_bpm: float) -> list[Bell]:
    """ST and a T wave that rises more slowly than it falls."""
    shorter = np.sqrt(60.0 / rate_bpm)
    at, width = rng.uniform(0.2, 0.36) * shorter, rng.uniform(0.03, 0.065) * np.sqrt(shorter)
    height = sign * size * np.exp(rng.uniform(np.log(0.06), np.log(0.7)))
    level = size * rng.choice([0.0, 1.0]) * rng.uniform(-0.15, 0.2)
    return [
        Bell(height, at, width),
        Bell(height * rng.uniform(0.0, 0.7), at - rng.uniform(0.8, 1.5) * width, 1.3 * width),
        Bell(level, rng.uniform(0.08, 0.16) * shorter, rng.uniform(0.03, 0.07)),
    ]


def _r_peaks(rng: Generator, duration_s: float, rate_bpm: float) -> FloatArray:
    """From before the strip to behind it, s; one in five hearts beats irregularly."""
    deviation = rng.choice([0.01, 0.04, 0.15], p=[0.2, 0.6, 0.2])
    n = int((duration_s + 3.0) * rate_bpm / 30.0) + 3
    gaps = np.maximum(0.3, 60.0 / rate_bpm * (1.0 + deviation * rng.standard_normal(n)))
    at_s = -1.0 - rng.random() + np.cumsum(gaps)
    return np.asarray(at_s[at_s < duration_s + 1.0])
