"""Strips without a heart, as electrodes give them: what must be refused, however alike its peaks may look."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

FloatArray = NDArray[np.float64]

FS_HZ = 250.0


def white(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Noise of an amplifier."""
    return rng.standard_normal(n_samples)


def pink(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Power ∝ 1/f: electrode and skin."""
    return _colored(n_samples, rng, exponent=0.5)


def brown(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Power ∝ 1/f²: drift of an electrode."""
    return _colored(n_samples, rng, exponent=1.0)


def muscle(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Noise of 20 to 100 Hz that swells and fades over seconds, as a muscle at work."""
    return _fast(n_samples, rng) * np.exp(0.7 * _slow(n_samples, rng, below_hz=0.3))


def twitches(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Short bursts of muscle, one or two a second: what imitates heartbeats best."""
    return _fast(n_samples, rng) * np.exp(1.2 * _slow(n_samples, rng, below_hz=1.5))


def motion(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """An electrode that moves: brown noise, and jumps that decay, one a second or so."""
    times_s = np.arange(n_samples) / FS_HZ
    moved = brown(n_samples, rng) + 0.02 * white(n_samples, rng)
    for at_s in np.cumsum(rng.exponential(0.9, size=4 + int(2 * times_s[-1]))):
        since_s = times_s - at_s
        jump = np.where(since_s >= 0.0, np.exp(-np.maximum(since_s, 0.0) / rng.uniform(0.05, 0.8)), 0.0)
        moved += rng.normal(0.0, 1.5) * jump
    return moved


NOISES: Mapping[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "white": white,
    "pink": pink,
    "brown": brown,
    "muscle": muscle,
    "twitches": twitches,
    "motion": motion,
}


def _fast(n_samples: int, rng: np.random.Generator) -> FloatArray:
    return np.asarray(_filtered(white(n_samples, rng), "bandpass", (20.0, 100.0)))


def _slow(n_samples: int, rng: np.random.Generator, *, below_hz: float) -> FloatArray:
    """A standardized logarithm of an amplitude."""
    margin = round(3 * FS_HZ)
    slow = _filtered(white(n_samples + 2 * margin, rng), "lowpass", below_hz)
    return np.asarray(slow[margin:-margin] / slow.std())


def _filtered(noise: FloatArray, kind: str, edges_hz: float | tuple[float, float]) -> FloatArray:
    return np.asarray(sosfiltfilt(butter(2, edges_hz, kind, fs=FS_HZ, output="sos"), noise))


def _colored(n_samples: int, rng: np.random.Generator, *, exponent: float) -> FloatArray:
    """White noise with its spectrum divided by f to the exponent; unit standard deviation."""
    padded = 4 * n_samples  # A Fourier series returns to its start; a drift does not.
    spectrum = np.fft.rfft(rng.standard_normal(padded))
    spectrum /= np.maximum(np.arange(spectrum.size), 1.0) ** exponent
    noise = np.fft.irfft(spectrum, padded)[:n_samples]
    return np.asarray(noise / noise.std())
