"""Signals that hold no heart, by species: what a service for heartbeats must not take for one.

A species is a function from a random generator to one signal; `draw` puts it through a front end, as a
client would send it. The parameters are wide on purpose and were set before anything was measured on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from ml.synthetic.no_heart import bodies, generators, noises

FloatArray = NDArray[np.float64]
Species = Callable[[Generator, FloatArray, float], FloatArray]
"""Generator, moments (s) and sampling rate (Hz) → one signal of any unit, shape (n_samples,)."""


def mixture(rng: Generator, time_s: FloatArray, fs_hz: float) -> FloatArray:
    """Two species at once, the second up to as strong as the first."""
    names = rng.choice(len(_SINGLE), 2, replace=False)
    first, second = (_unit(list(_SINGLE.values())[i](rng, time_s, fs_hz)) for i in names)
    return np.asarray(first + rng.uniform(0.05, 1.0) * second)


_SINGLE: Mapping[str, Species] = {
    "calibration pulses": generators.calibration_pulses,
    "round pulses": generators.round_pulses,
    "repeated shapes": generators.repeated_shapes,
    "sines": generators.sines,
    "modulated sines": generators.modulated_sines,
    "sweeps": generators.sweeps,
    "square waves": generators.square_waves,
    "bursts": generators.bursts,
    "converter patterns": generators.converter_patterns,
    "photoplethysmogram": bodies.photoplethysmogram,
    "arterial pressure": bodies.arterial_pressure,
    "ballistocardiogram": bodies.ballistocardiogram,
    "seismocardiogram": bodies.seismocardiogram,
    "impedance": bodies.impedance,
    "breathing": bodies.breathing,
    "muscle": bodies.muscle,
    "motor units": bodies.motor_units,
    "brain": bodies.brain,
    "seizure": bodies.seizure,
    "eyes": bodies.eyes,
    "steps": bodies.steps,
    "colored noise": noises.colored_noise,
    "random walk": noises.random_walk,
    "resonance": noises.resonance,
    "loose electrode": noises.loose_electrode,
    "clicks": noises.clicks,
}

SPECIES: Mapping[str, Species] = MappingProxyType({**_SINGLE, "mixture": mixture})
FS_HZ = (100.0, 125.0, 200.0, 250.0, 300.0, 360.0, 500.0, 1000.0)


def draw(species: str, seed: int, duration_s: float, fs_hz: float) -> NDArray[np.float32]:
    """One member of a species, as a front end would deliver it.

    Args:
        species: A name of `SPECIES`.
        seed: Any integer ≥ 0; equal seeds give equal members.
        duration_s: Length, at least 1 s.
        fs_hz: Sampling rate.

    Returns:
        Millivolts, float32, shape (round(duration_s × fs_hz),): the signal with noise of the electronics,
        drift, the amplifier's band and its steps.
    """
    rng = Generator(PCG64(SeedSequence([seed, *species.encode()])))
    time_s = np.arange(round(duration_s * fs_hz)) / fs_hz
    signal = _unit(SPECIES[species](rng, time_s, fs_hz)) * rng.choice([-1.0, 1.0])
    return _front_end(rng, signal, fs_hz).astype(np.float32)


def _front_end(rng: Generator, signal: FloatArray, fs_hz: float) -> FloatArray:
    noise = np.exp(rng.uniform(np.log(1e-3), np.log(0.3))) * rng.standard_normal(signal.size)
    drift = 0.3 * rng.random() * _unit(np.cumsum(rng.standard_normal(signal.size)))
    total = signal + noise + drift
    if rng.random() < 0.5:
        high_hz = min(rng.choice([35.0, 40.0, 100.0, 150.0]), 0.45 * fs_hz)
        band = butter(2, (rng.choice([0.05, 0.5]), high_hz), "band", fs=fs_hz, output="sos")
        total = sosfilt(band, total)
    amplitude_mv = np.exp(rng.uniform(np.log(0.1), np.log(5.0)))
    step_mv = rng.choice([0.001, 0.005, 0.02])
    return np.asarray(np.rint(amplitude_mv * total / step_mv) * step_mv)


def _unit(signal: FloatArray) -> FloatArray:
    """About its median, its largest excursion 1."""
    centered = signal - np.median(signal)
    return np.asarray(centered / max(float(np.abs(centered).max()), 1e-12))
