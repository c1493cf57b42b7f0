"""Strips that hold a heart, and strips that hold none, as the heart index is fitted to and judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray
from scipy.signal import hilbert, resample_poly

from ml.data.records import EcgRecord
from ml.synthetic.ecg import Noise, SyntheticPerson
from ml.synthetic.no_heart.species import FS_HZ, SPECIES, draw
from ml.synthetic.unusual_hearts import draw_unusual_heart

FloatArray = NDArray[np.float64]
DURATIONS_S = (3.0, 5.0, 10.0, 20.0)
NOISY = "~"
"""CinC's class of recordings in which experts saw no rhythm: they prove no heart."""
_UP_DOWN = {125.0: (1, 2), 500.0: (2, 1), 300.0: (6, 5), 200.0: (4, 5), 100.0: (2, 5)}


class NamedStrip(NamedTuple):
    """Where it comes from, samples of any unit, their rate and its heart's or generator's number."""

    source: str
    ecg: FloatArray
    fs_hz: float
    number: int


def others(seeds: Iterable[int]) -> Iterator[NamedStrip]:
    """A member of every species for every seed, of any length and rate."""
    for seed in seeds:
        for species in SPECIES:
            rng = _stream(seed, species)
            fs_hz, duration_s = float(rng.choice(FS_HZ)), float(rng.choice(DURATIONS_S))
            yield NamedStrip(species, draw(species, seed, duration_s, fs_hz).astype(np.float64), fs_hz, seed)


def computed_hearts(seeds: Iterable[int]) -> Iterator[NamedStrip]:
    """One in four of the computed people, else an unusual heart; every fourth strip is damaged."""
    for seed in seeds:
        rng = _stream(seed, "hearts")
        fs_hz, duration_s = float(rng.choice(FS_HZ)), float(rng.choice(DURATIONS_S))
        if rng.random() < 0.25:
            noise = Noise(rng.uniform(0.0, 0.2), rng.uniform(0.0, 0.05), 50.0, rng.uniform(8.0, 40.0))
            source, ecg = "computed people", SyntheticPerson.draw(seed).record(duration_s, fs_hz, noise=noise)
        else:
            source, ecg = "unusual hearts", draw_unusual_heart(seed, duration_s, fs_hz)
        strip = ecg.astype(np.float64)
        if rng.random() < 0.25:
            strip = DAMAGES[rng.integers(len(DAMAGES))](rng, strip, fs_hz)
        yield NamedStrip(source, strip, fs_hz, seed)


def real_hearts(source: str, records: Iterable[EcgRecord], per_record: int) -> Iterator[NamedStrip]:
    """Pieces of recordings as they are."""
    for number, record in enumerate(records):
        for take in range(per_record):
            ecg = _piece(_stream(number, f"take {take}"), record)
            yield NamedStrip(source, ecg, record.fs_hz, number)


def beginnings(source: str, records: Iterable[EcgRecord], seconds: float) -> Iterator[NamedStrip]:
    """The first seconds of recordings."""
    for number, record in enumerate(records):
        ecg = np.asarray(record.signal[: round(seconds * record.fs_hz)], dtype=np.float64)
        yield NamedStrip(source, ecg, record.fs_hz, number)


def varied_hearts(source: str, records: Iterable[EcgRecord], per_record: int) -> Iterator[NamedStrip]:
    """Pieces of recordings, half of them as another lead, pace, rate, noise or damage might show them."""
    for number, record in enumerate(records):
        if record.labels["rhythm"] == NOISY:
            continue
        for take in range(per_record):
            rng = _stream(number, f"varied {take}")
            ecg, fs_hz = _piece(rng, record), record.fs_hz
            if rng.random() < 0.6:
                ecg = _turned(ecg, rng.uniform(-1.4, 1.4), round(fs_hz))
            if rng.random() < 0.5:
                ecg = _stretched(ecg, np.exp(rng.uniform(-0.2, 0.2)))
            if rng.random() < 0.4:
                height = np.percentile(np.abs(ecg - np.median(ecg)), 98)
                share = np.exp(rng.uniform(np.log(0.003), np.log(0.15)))
                ecg = ecg + share * height * rng.standard_normal(ecg.size)
            if rng.random() < 0.3:
                fs_hz = float(rng.choice(list(_UP_DOWN)))
                ecg = resample_poly(ecg, *_UP_DOWN[fs_hz], padtype="line")
            if rng.random() < 0.15:
                ecg = DAMAGES[rng.integers(len(DAMAGES))](rng, ecg, fs_hz)
            yield NamedStrip(source, ecg, fs_hz, number)


def _piece(rng: Generator, record: EcgRecord) -> FloatArray:
    n = min(record.signal.size, round(float(rng.choice(DURATIONS_S)) * record.fs_hz))
    start = rng.integers(0, record.signal.size - n + 1)
    return np.asarray(record.signal[start : start + n], dtype=np.float64)


def _turned(ecg: FloatArray, angle: float, margin: int) -> FloatArray:
    """All frequencies turned by one phase: P, QRS and T change their shape as from lead to lead."""
    padded = np.pad(ecg - np.median(ecg), margin, mode="edge")
    return np.asarray(np.real(hilbert(padded) * np.exp(-1j * angle))[margin:-margin])


def _stretched(ecg: FloatArray, by: float) -> FloatArray:
    return np.asarray(np.interp(np.arange(0.0, ecg.size - 1, by), np.arange(ecg.size), ecg))


def _lost_samples(rng: Generator, ecg: FloatArray, _: float) -> FloatArray:
    n = int(rng.integers(1, 1 + ecg.size // 150))
    spoiled = ecg.copy()
    spoiled[rng.choice(ecg.size, n, replace=False)] = rng.choice([np.nan, 0.0, -50.0]) * np.ptp(ecg)
    return spoiled


def _hum(rng: Generator, ecg: FloatArray, fs_hz: float) -> FloatArray:
    height = np.ptp(ecg) * np.exp(rng.uniform(np.log(0.01), np.log(1.5)))
    phase = 2.0 * np.pi * (rng.choice([50.0, 60.0]) * np.arange(ecg.size) / fs_hz + rng.random())
    return np.asarray(ecg + height * np.sin(phase))


def _gaps(rng: Generator, ecg: FloatArray, fs_hz: float) -> FloatArray:
    """Packets that are missing, or were filled with zeros far from the signal."""
    spoiled = ecg + 3.0 * np.ptp(ecg)
    for _ in range(rng.integers(1, 4)):
        start, n = rng.integers(0, ecg.size), round(rng.uniform(0.02, 0.3) * fs_hz)
        spoiled[start : start + n] = rng.choice([np.nan, 0.0])
    return spoiled


def _pacing(rng: Generator, ecg: FloatArray, fs_hz: float) -> FloatArray:
    """Spikes of 2 ms at their own rate."""
    spoiled = ecg.copy()
    at = np.arange(rng.random(), ecg.size / fs_hz - 0.01, 60.0 / rng.uniform(50.0, 100.0))
    height = np.ptp(ecg) * rng.uniform(0.5, 4.0)
    for offset in range(max(1, round(0.002 * fs_hz))):
        spoiled[np.minimum(np.rint(at * fs_hz).astype(int) + offset, ecg.size - 1)] += height
    return spoiled


Damage = Callable[[Generator, FloatArray, float], FloatArray]
DAMAGES: tuple[Damage, ...] = (_lost_samples, _hum, _gaps, _pacing)


def _stream(number: int, name: str) -> Generator:
    return Generator(PCG64(SeedSequence([number, *name.encode()])))
