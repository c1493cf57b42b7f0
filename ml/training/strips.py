"""Conditioned strips of a data set, cached on disk, so that all experiments start from the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ml.runtime.ecg.signal
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import SignalError

FloatArray = NDArray[np.float32 | np.float64]
# Version of the files; 2 has the accepted samples.
CACHE_FORMAT = 2
# These read conditioned strips but do not make them, so their changes do not affect the strips.
READERS_OF_STRIPS = frozenset({"windows.py"})


@dataclass(frozen=True)
class RawStrip:
    """A piece of a recording. `part` distinguishes pieces of one recording."""

    subject_id: str
    part: int
    fs_hz: float
    signal: FloatArray


@dataclass(frozen=True)
class Strip:
    """A conditioned piece of a recording; without peaks if acquisition failed.

    Args:
        ecg: At `ml.runtime.ecg.signal`'s working rate, float32, shape (n_samples,).
        r_peaks: Those in accepted segments, int64, shape (n_beats,).
        accepted: Which samples lie in accepted segments, bool, shape (n_samples,).
        seconds: Accepted seconds; 0 if acquisition failed.
        quality: 0 to 1.
    """

    subject_id: str
    part: int
    ecg: NDArray[np.float32]
    r_peaks: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    seconds: float
    quality: float


def condition_strips(raw: Iterable[RawStrip], cache: Path) -> list[Strip]:
    """Condition strips, or read them from the cache if the same code conditioned the same data before.

    Args:
        raw: Read only if the cache is empty.
        cache: A file; its name must depend on all that determines `raw`, except the signal code.
    """
    path = cache.with_name(f"{cache.name}-v{CACHE_FORMAT}-{signal_code_digest()[:12]}.npz")
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, [_conditioned(strip) for strip in raw])
    return list(_read(path))


def signal_code_digest() -> str:
    """SHA-256 over the sources of `ml.runtime.ecg.signal` that make strips: other code, other strips."""
    digest = hashlib.sha256()
    sources = Path(ml.runtime.ecg.signal.__path__[0]).glob("*.py")
    for source in sorted(source for source in sources if source.name not in READERS_OF_STRIPS):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def _conditioned(raw: RawStrip) -> Strip:
    try:
        ecg = condition(raw.signal, raw.fs_hz)
    except SignalError:
        return Strip(
            raw.subject_id,
            raw.part,
            ecg=np.empty(0, dtype=np.float32),
            r_peaks=np.empty(0, dtype=np.int64),
            accepted=np.empty(0, dtype=np.bool_),
            seconds=0.0,
            quality=0.0,
        )
    return Strip(
        raw.subject_id,
        raw.part,
        ecg=ecg.ecg,
        r_peaks=ecg.accepted_r_peaks,
        accepted=ecg.accepted,
        seconds=ecg.quality.accepted_s,
        quality=ecg.quality.score,
    )


def _write(path: Path, strips: Sequence[Strip]) -> None:
    temporary = path.with_name(path.name + ".tmp.npz")
    np.savez(
        temporary,
        subject_id=np.array([s.subject_id for s in strips]),
        part=np.array([s.part for s in strips], dtype=np.int64),
        seconds=np.array([s.seconds for s in strips], dtype=np.float64),
        quality=np.array([s.quality for s in strips], dtype=np.float64),
        ecg=np.concatenate([s.ecg for s in strips]),
        accepted=np.concatenate([s.accepted for s in strips]),
        ecg_ends=np.cumsum([s.ecg.size for s in strips]),
        r_peaks=np.concatenate([s.r_peaks for s in strips]),
        r_peaks_ends=np.cumsum([s.r_peaks.size for s in strips]),
    )
    temporary.replace(path)


def _read(path: Path) -> Iterator[Strip]:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    ecg = np.split(arrays["ecg"], arrays["ecg_ends"][:-1])
    accepted = np.split(arrays["accepted"], arrays["ecg_ends"][:-1])
    r_peaks = np.split(arrays["r_peaks"], arrays["r_peaks_ends"][:-1])
    for i, subject_id in enumerate(arrays["subject_id"]):
        yield Strip(
            str(subject_id),
            int(arrays["part"][i]),
            ecg=ecg[i],
            r_peaks=r_peaks[i],
            accepted=accepted[i],
            seconds=float(arrays["seconds"][i]),
            quality=float(arrays["quality"][i]),
        )
