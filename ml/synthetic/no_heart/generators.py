"""What instruments and converters give: test pulses, periodic waves, sweeps, patterns of bits."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]


def instants(rng: Generator, duration_s: float, *, most_jitter: float = 0.15) -> FloatArray:
    """Moments of a train of 30 to 180 per minute, s; a third of the trains are as regular as a clock."""
    period_s = 60.0 / rng.uniform(30.0, 180.0)
    jitter = 0.0 if rng.random() < 1 / 3 else rng.uniform(0.0, most_jitter)
    n = int(duration_s / period_s / (1.0 - jitter)) + 3
    gaps = period_s * (1.0 + jitter * rng.uniform(-1.0, 1.0, n))
    return np.asarray(np.cumsum(gaps) - period_s * (1.0 + rng.random()))


def train(time_s: FloatArray, at_s: FloatArray, wave: FloatArray, fs_hz: float) -> FloatArray:
    """Put one wave, whose middle sample is its moment, at every moment."""
    impulses = np.zeros(time_s.size + wave.size)
    index = np.rint(at_s * fs_hz).astype(int) + wave.size // 2
    index = index[(index >= 0) & (index < impulses.size)]
    impulses[index] = 1.0
    whole = np.convolve(impulses, wave)
    start = 2 * (wave.size // 2)
    return np.asarray(whole[start : start + time_s.size])


def calibration_pulses(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Rectangles of one sample to 200 ms, some through the high-pass of an amplifier."""
    width_s = np.exp(rng.uniform(np.log(1.0 / fs_hz), np.log(0.2)))
    wave = np.zeros(2 * round(0.2 * fs_hz) + 1)
    middle, n = wave.size // 2, max(1, round(width_s * fs_hz))
    wave[middle - n // 2 : middle - n // 2 + n] = 1.0
    pulses = train(time_s, instants(rng, time_s[-1]), wave, fs_hz)
    if rng.random() < 0.5:
        decay = np.exp(-1.0 / (rng.uniform(0.02, 1.0) * fs_hz))
        pulses = lfilter([1.0, -1.0], [1.0, -decay], pulses)
    return pulses


def round_pulses(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Triangles, bells, half sines, saw teeth, discharges, bells' derivatives, of 10 to 400 ms."""
    width_s = np.exp(rng.uniform(np.log(0.01), np.log(0.4)))
    x = np.arange(-round(2.0 * width_s * fs_hz), round(2.0 * width_s * fs_hz) + 1) / (width_s * fs_hz)
    shape = rng.integers(8)
    bell = np.exp(-0.5 * (4.0 * x) ** 2)
    waves = (
        np.maximum(0.0, 1.0 - 2.0 * np.abs(x)),
        bell,
        np.where(np.abs(x) < 0.5, np.cos(np.pi * x), 0.0),
        np.where(np.abs(x) < 0.5, x + 0.5, 0.0),
        np.where(x >= 0.0, np.exp(-4.0 * x), 0.0),
        -x * bell,
        (1.0 - (4.0 * x) ** 2) * bell,
        np.where(np.abs(x) < 0.5, 1.0 + np.cos(2.0 * np.pi * x), 0.0),
    )
    return train(time_s, instants(rng, time_s[-1]), np.asarray(waves[shape]), fs_hz)


def repeated_shapes(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """The same piece of noise of some color again and again."""
    x = np.arange(-round(0.5 * fs_hz), round(0.5 * fs_hz) + 1) / fs_hz
    hz = np.fft.rfftfreq(x.size, 1.0 / fs_hz)
    power = (1.0 + hz / rng.uniform(1.0, 20.0)) ** -rng.uniform(1.0, 4.0)
    real, imaginary = rng.standard_normal((2, hz.size))
    shape = np.fft.irfft(power * (real + 1j * imaginary), x.size)
    shape = shape * np.exp(-0.5 * (x / rng.uniform(0.03, 0.3)) ** 2)
    return train(time_s, instants(rng, time_s[-1]), shape, fs_hz)


def sines(rng: Generator, time_s: FloatArray, _: float) -> FloatArray:
    """One to three sines of 0.3 to 40 Hz, some of them harmonics of the first."""
    hz = np.exp(rng.uniform(np.log(0.3), np.log(40.0), 3))
    if rng.random() < 0.5:
        hz = hz[0] * np.array([1, *rng.integers(2, 9, 2)])
    heights = np.array([1.0, *rng.uniform(0.0, 1.0, 2)])[: rng.integers(1, 4)]
    phases = rng.uniform(0.0, 2.0 * np.pi, 3)
    waves = [a * np.sin(2.0 * np.pi * f * time_s + p) for a, f, p in zip(heights, hz, phases, strict=False)]
    return np.asarray(np.sum(waves, axis=0))


def modulated_sines(rng: Generator, time_s: FloatArray, _: float) -> FloatArray:
    """A sine whose height or frequency swings at 0.3 to 4 Hz."""
    swing = np.sin(2.0 * np.pi * rng.uniform(0.3, 4.0) * time_s)
    hz = np.exp(rng.uniform(np.log(1.0), np.log(40.0)))
    if rng.random() < 0.5:
        height = np.maximum(0.0, 1.0 + rng.uniform(0.5, 3.0) * swing)
        return np.asarray(height * np.sin(2.0 * np.pi * hz * time_s))
    return np.asarray(np.sin(2.0 * np.pi * hz * time_s + rng.uniform(1.0, 10.0) * swing))


def sweeps(rng: Generator, time_s: FloatArray, _: float) -> FloatArray:
    """A sine that runs through a range of frequencies once or again and again."""
    low, high = sorted(np.exp(rng.uniform(np.log(0.3), np.log(100.0), 2)))
    period_s = rng.choice([time_s[-1], 1.0 / rng.uniform(0.5, 2.5)])
    at = np.mod(time_s, period_s)
    return np.asarray(np.sin(2.0 * np.pi * (low * at + (high - low) * at * at / (2.0 * period_s))))


def square_waves(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Square, saw-tooth and triangle waves of 0.3 to 20 Hz; half of them rounded."""
    hz, phase = np.exp(rng.uniform(np.log(0.3), np.log(20.0))), rng.random()
    at = np.mod(hz * time_s + phase, 1.0)
    kind = rng.integers(3)
    duty = rng.uniform(0.1, 0.9)
    wave = (np.where(at < duty, 1.0, 0.0), at, np.minimum(at / duty, (1.0 - at) / (1.0 - duty)))[kind]
    return _rounded(rng, np.asarray(wave), fs_hz)


def bursts(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Oscillations that are switched on for 20 to 300 ms, or ring after every moment."""
    x = np.arange(-round(0.3 * fs_hz), round(0.3 * fs_hz) + 1) / fs_hz
    width_s, hz = (
        np.exp(rng.uniform(np.log(0.02), np.log(0.3))),
        np.exp(rng.uniform(np.log(3.0), np.log(60.0))),
    )
    ring = np.sin(2.0 * np.pi * hz * x + rng.uniform(0.0, 2.0 * np.pi))
    switched, bell = (x >= 0.0) & (x < width_s), np.exp(-0.5 * (x / width_s * 4.0) ** 2)
    decay = np.where(x >= 0.0, np.exp(-3.0 * x / width_s), 0.0)
    envelope = (switched, bell, decay)[rng.integers(3)]
    return train(time_s, instants(rng, time_s[-1]), ring * envelope, fs_hz)


def converter_patterns(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Counters, stairs, walking bits, alternating codes and shift-register bits."""
    n = np.arange(time_s.size)
    hold = max(1, round(fs_hz * np.exp(rng.uniform(np.log(1.0 / fs_hz), np.log(0.5)))))
    step = n // hold
    bits = int(rng.integers(2, 13))
    kind = rng.integers(6)
    if kind == 5:
        register = rng.integers(0, 2, int(rng.integers(7, 256)))
        return np.asarray(register[step % register.size], dtype=np.float64)
    patterns = (
        step % 2**bits,
        2 ** (step % bits),
        np.where(step % 2 == 0, 0x55, 0xAA),
        np.bitwise_xor(step, step >> 1) % 2**bits,
        np.abs(step % (2 * bits) - bits),
    )
    return np.asarray(patterns[kind], dtype=float)


def _rounded(rng: Generator, wave: FloatArray, fs_hz: float) -> FloatArray:
    if rng.random() < 0.5:
        return wave
    decay = np.exp(-1.0 / (rng.uniform(0.005, 0.2) * fs_hz))
    return np.asarray(lfilter([1.0 - decay], [1.0, -decay], wave))
