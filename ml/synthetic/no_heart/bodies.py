"""What bodies give besides an ECG, as their sensors see it: pulse waves, muscles, brain, breath, movement."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from ml.synthetic.no_heart.generators import instants, train

FloatArray = NDArray[np.float64]


def _band(rng: Generator, n: int, fs_hz: float, low_hz: float, high_hz: float) -> FloatArray:
    """Noise of a band, of deviation 1."""
    high_hz = min(high_hz, 0.45 * fs_hz)
    sections = butter(2, (min(low_hz, 0.8 * high_hz), high_hz), "band", fs=fs_hz, output="sos")
    noise = sosfilt(sections, rng.standard_normal(n + round(fs_hz)))[round(fs_hz) :]
    return np.asarray(noise / noise.std())


def _bell(x: FloatArray, at: float, width: float) -> FloatArray:
    return np.exp(-0.5 * ((x - at) / width) ** 2)


def _breath(rng: Generator, time_s: FloatArray) -> FloatArray:
    phase = 2.0 * np.pi * (rng.uniform(0.1, 0.5) * time_s + rng.random())
    return np.asarray(np.sin(phase) + rng.uniform(0.0, 0.4) * np.sin(2.0 * phase + rng.uniform(0.0, 6.0)))


def photoplethysmogram(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """The pulse wave in the skin with its dicrotic wave; also its first and second derivative.

    Source:
        Allen 2007, "Photoplethysmography and its application in clinical physiological measurement",
        Physiol. Meas. 28: shape of the wave, breathing in level and height.
    """
    x = np.arange(-round(0.8 * fs_hz), round(0.8 * fs_hz) + 1) / fs_hz
    wave = _bell(x, 0.0, rng.uniform(0.06, 0.11))
    wave += rng.uniform(0.1, 0.6) * _bell(x, rng.uniform(0.2, 0.35), rng.uniform(0.07, 0.13))
    wave += rng.uniform(0.0, 0.3) * _bell(x, rng.uniform(0.1, 0.2), rng.uniform(0.06, 0.12))
    pulse = train(time_s, instants(rng, time_s[-1]), wave, fs_hz)
    for _ in range(rng.integers(3)):
        pulse = np.gradient(pulse)
    pulse = pulse / pulse.std()
    breath = _breath(rng, time_s)
    return np.asarray(pulse * (1.0 + rng.uniform(0.0, 0.2) * breath) + rng.uniform(0.0, 0.6) * breath)


def arterial_pressure(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Steep rise, slow fall and a notch between."""
    x = np.arange(-round(1.0 * fs_hz), round(1.0 * fs_hz) + 1) / fs_hz
    rise_s, fall_s = rng.uniform(0.03, 0.1), rng.uniform(0.15, 0.4)
    up = 1.0 / (1.0 + np.exp(-np.clip(x / rise_s * 4.0, -50.0, 50.0)))
    wave = up * np.exp(-np.maximum(x, 0.0) / fall_s)
    wave -= rng.uniform(0.05, 0.25) * _bell(x, rng.uniform(0.2, 0.32), rng.uniform(0.01, 0.03))
    return train(time_s, instants(rng, time_s[-1]), wave, fs_hz)


def ballistocardiogram(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """The body's recoil: waves H to N of every beat, 3 to 10 Hz, a damped row of alternating bells.

    Source:
        Starr et al. 1939, "Studies on the estimation of cardiac output in man ...", Am. J. Physiol. 127:
        names and order of the waves.
    """
    x = np.arange(-round(0.6 * fs_hz), round(0.6 * fs_hz) + 1) / fs_hz
    spacing_s = rng.uniform(0.05, 0.11)
    heights = (0.3, -0.5, 1.0, -0.7, 0.35, -0.3, 0.2)
    wave = np.zeros(x.size)
    for number, height in enumerate(heights):
        own = height * rng.uniform(0.5, 1.5)
        wave += own * _bell(x, (number - 2) * spacing_s * rng.uniform(0.9, 1.1), 0.4 * spacing_s)
    return train(time_s, instants(rng, time_s[-1]), wave, fs_hz)


def seismocardiogram(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """The chest's vibration, or heart sounds: two bursts of 10 to 60 Hz a beat."""
    x = np.arange(-round(0.6 * fs_hz), round(0.6 * fs_hz) + 1) / fs_hz
    wave = np.zeros(x.size)
    for at_s, height in ((0.0, 1.0), (rng.uniform(0.25, 0.4), rng.uniform(0.2, 0.9))):
        hz, width_s = rng.uniform(10.0, 60.0), rng.uniform(0.02, 0.06)
        ring = np.sin(2.0 * np.pi * hz * (x - at_s) + rng.uniform(0.0, 2.0 * np.pi))
        wave += height * ring * _bell(x, at_s, width_s)
    return train(time_s, instants(rng, time_s[-1]), wave, fs_hz)


def impedance(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """The derivative of the thorax's impedance: a systolic wave, a dip and a diastolic wave."""
    x = np.arange(-round(0.7 * fs_hz), round(0.7 * fs_hz) + 1) / fs_hz
    wave = _bell(x, 0.0, rng.uniform(0.035, 0.07))
    wave -= rng.uniform(0.1, 0.5) * _bell(x, rng.uniform(0.15, 0.22), rng.uniform(0.02, 0.05))
    wave += rng.uniform(0.05, 0.4) * _bell(x, rng.uniform(0.28, 0.4), rng.uniform(0.04, 0.09))
    beats = train(time_s, instants(rng, time_s[-1]), wave, fs_hz)
    return np.asarray(beats + rng.uniform(0.0, 0.3) * _breath(rng, time_s))


def breathing(rng: Generator, time_s: FloatArray, _: float) -> FloatArray:
    """Belt or flow: slow, uneven waves."""
    breath = _breath(rng, time_s)
    return np.asarray(np.sign(breath) * np.abs(breath) ** rng.uniform(0.5, 2.0))


def muscle(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """EMG: noise of 10 to 250 Hz, steady or in bursts as of steps, chewing or breath."""
    noise = _band(rng, time_s.size, fs_hz, rng.uniform(8.0, 30.0), rng.uniform(60.0, 250.0))
    if rng.random() < 0.3:
        return noise
    width_s = rng.uniform(0.03, 0.4)
    x = np.arange(-round(2.0 * width_s * fs_hz), round(2.0 * width_s * fs_hz) + 1) / fs_hz
    tense = train(time_s, instants(rng, time_s[-1], most_jitter=0.3), _bell(x, 0.0, width_s / 2.0), fs_hz)
    return np.asarray(noise * (rng.uniform(0.0, 0.3) + tense))


def motor_units(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """One to six motor units that fire 5 to 30 times a second."""
    total = np.zeros(time_s.size)
    x = np.arange(-round(0.02 * fs_hz), round(0.02 * fs_hz) + 1) / fs_hz
    for _ in range(rng.integers(1, 7)):
        rate_hz, width_s = rng.uniform(5.0, 30.0), rng.uniform(0.002, 0.006)
        gaps = np.maximum(0.02, rng.normal(1.0, 0.15, int(rate_hz * time_s[-1] * 1.5) + 3) / rate_hz)
        wave = (1.0 - (x / width_s) ** 2) * _bell(x, 0.0, width_s)
        total += rng.uniform(0.3, 1.0) * train(time_s, np.cumsum(gaps), wave, fs_hz)
    return total


def brain(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """EEG: pink noise with spindles of one rhythm of 4 to 25 Hz."""
    pink = np.cumsum(_band(rng, time_s.size, fs_hz, 0.5, 40.0))
    background = _band(rng, time_s.size, fs_hz, 1.0, 30.0) + 0.5 * pink / pink.std()
    hz = rng.uniform(4.0, 25.0)
    rhythm = _band(rng, time_s.size, fs_hz, 0.9 * hz, 1.1 * hz)
    return np.asarray(background + rng.uniform(0.0, 4.0) * rhythm)


def seizure(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Spike and wave at 2.5 to 4 per second over EEG, without a pause between wave and spike."""
    hz = rng.uniform(2.5, 4.0)
    n = int(hz * time_s[-1] * 1.3) + 3
    at_s = np.cumsum((1.0 + rng.uniform(0.0, 0.06) * rng.standard_normal(n)) / hz)
    x = np.arange(-round(0.4 * fs_hz), round(0.4 * fs_hz) + 1) / fs_hz
    wave = rng.uniform(0.5, 1.5) * _bell(x, -0.06, rng.uniform(0.012, 0.025))
    wave -= _bell(x, rng.uniform(0.09, 0.14), rng.uniform(0.05, 0.08))
    discharge = train(time_s, at_s, wave, fs_hz)
    return np.asarray(discharge + rng.uniform(0.02, 0.3) * brain(rng, time_s, fs_hz) / 3.0)


def eyes(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """EOG: steps of saccades and the bells of blinks."""
    jumps = np.zeros(time_s.size)
    at = rng.choice(time_s.size, max(2, int(rng.uniform(0.5, 3.0) * time_s[-1])))
    jumps[at] = rng.standard_normal(at.size)
    x = np.arange(-round(0.3 * fs_hz), round(0.3 * fs_hz) + 1) / fs_hz
    blinks = train(
        time_s, instants(rng, time_s[-1], most_jitter=0.6), _bell(x, 0.0, rng.uniform(0.04, 0.1)), fs_hz
    )
    return np.asarray(rng.uniform(0.0, 1.0) * np.cumsum(jumps) + rng.uniform(0.3, 2.0) * blinks)


def steps(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """An accelerometer's walk: impact and swing of every step, a ringing after it."""
    x = np.arange(-round(0.4 * fs_hz), round(0.4 * fs_hz) + 1) / fs_hz
    impact = _bell(x, 0.0, rng.uniform(0.01, 0.04))
    ring = np.where(x > 0.0, np.exp(-x / rng.uniform(0.03, 0.15)), 0.0)
    wave = impact + rng.uniform(0.0, 0.8) * ring * np.sin(2.0 * np.pi * rng.uniform(5.0, 25.0) * x)
    walk = train(time_s, instants(rng, time_s[-1]), wave, fs_hz)
    swing = np.sin(2.0 * np.pi * rng.uniform(0.8, 3.0) * time_s)
    return np.asarray(walk + rng.uniform(0.0, 0.6) * swing + 0.05 * rng.standard_normal(time_s.size))
