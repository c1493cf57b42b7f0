"""Noise of electronics, of loose electrodes and of chance."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]


def colored_noise(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Noise whose power falls with the frequency to a power of 0 to 2.5."""
    hz = np.fft.rfftfreq(time_s.size, 1.0 / fs_hz)
    hz[0] = hz[1]
    spectrum = rng.standard_normal((2, hz.size)) * hz ** (-rng.uniform(0.0, 2.5) / 2.0)
    return np.asarray(np.fft.irfft(spectrum[0] + 1j * spectrum[1], time_s.size))


def random_walk(rng: Generator, time_s: FloatArray, _: float) -> FloatArray:
    """The sum of independent steps, some of them rare and large."""
    steps = rng.standard_normal(time_s.size)
    if rng.random() < 0.5:
        steps *= rng.random(time_s.size) < rng.uniform(0.002, 0.1)
    return np.cumsum(steps)


def resonance(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Noise through a resonator of 1 to 40 Hz."""
    hz = np.exp(rng.uniform(np.log(1.0), np.log(40.0)))
    radius = np.exp(-np.pi * hz / (np.exp(rng.uniform(np.log(1.0), np.log(30.0))) * fs_hz))
    pole = radius * np.exp(2j * np.pi * hz / fs_hz)
    return np.asarray(
        lfilter([1.0], [1.0, -2.0 * pole.real, radius * radius], rng.standard_normal(time_s.size))
    )


def loose_electrode(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Jumps that decay through the amplifier, over noise and hum."""
    jumps = np.zeros(time_s.size)
    at = rng.choice(time_s.size, max(2, int(rng.uniform(0.3, 4.0) * time_s[-1])))
    jumps[at] = rng.standard_normal(at.size)
    decay = np.exp(-1.0 / (rng.uniform(0.05, 2.0) * fs_hz))
    hum = np.sin(2.0 * np.pi * rng.choice([50.0, 60.0]) * time_s)
    noise = 0.05 * rng.standard_normal(time_s.size)
    return np.asarray(lfilter([1.0], [1.0, -decay], jumps) + rng.uniform(0.0, 1.0) * hum + noise)


def clicks(rng: Generator, time_s: FloatArray, _: float) -> FloatArray:
    """Single samples at random."""
    at = rng.random(time_s.size) < np.exp(rng.uniform(np.log(5e-4), np.log(0.05)))
    return np.asarray(at * rng.standard_normal(time_s.size) + 0.01 * rng.standard_normal(time_s.size))
