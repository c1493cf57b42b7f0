"""The part of the WFDB file formats that our data sets use, read without the `wfdb` package.

Headers (`.hea`), signals in formats 16, 80 and 212 (`.dat`, `.xyz`), annotations in MIT format (`.atr`).

Source:
    Moody et al., WFDB Applications Guide, PhysioNet: header(5) and signal(5); written from these pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ml.data.records import DataError

DEFAULT_FS_HZ = 250.0
DEFAULT_GAIN = 200.0
MILLIVOLTS_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "v": 1e3}


@dataclass(frozen=True)
class SignalSpec:
    """One signal line of a header; `gain` is in counts per `units`, `baseline` in counts."""

    file_name: str
    format: int
    byte_offset: int
    gain: float
    baseline: int
    units: str
    description: str


@dataclass(frozen=True)
class Header:
    """A `.hea` file. `n_samples` is None where the header leaves it to the signal file."""

    name: str
    fs_hz: float
    n_samples: int | None
    signals: tuple[SignalSpec, ...]
    comments: tuple[str, ...]

    @property
    def fields(self) -> Mapping[str, str]:
        """Comments of the form `Key: value`, keys in lower case; the first of equal keys counts."""
        found: dict[str, str] = {}
        for comment in self.comments:
            key, colon, value = comment.partition(":")
            if colon:
                found.setdefault(key.strip().lower(), value.strip())
        return MappingProxyType(found)


_RECORD_LINE = re.compile(
    r"(?P<name>[^\s/]+)(?P<segments>/\d+)?\s+(?P<n_signals>\d+)"
    r"(?:\s+(?P<fs>[\d.]+)(?:/\S*)?(?:\s+(?P<n_samples>\d+))?)?(?:\s|$)"
)
_FORMAT = re.compile(r"(?P<format>\d+)(?:x(?P<per_frame>\d+))?(?::(?P<skew>\d+))?(?:\+(?P<offset>\d+))?")
_GAIN = re.compile(r"(?P<gain>[-+\d.eE]+)(?:\((?P<baseline>[-+]?\d+)\))?(?:/(?P<units>\S+))?")


def read_header(path: Path) -> Header:
    """Read a `.hea` file.

    Raises:
        DataError: Not a header, or one that uses several segments, several samples per frame, or skew.
    """
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    comments = tuple(line.lstrip("#").strip() for line in lines if line.startswith("#"))
    content = [line for line in lines if line and not line.startswith("#")]
    record = _RECORD_LINE.match(content[0]) if content else None
    if record is None:
        raise DataError(f"{path}: expected a WFDB record line, found {content[:1]}")
    if record["segments"]:
        raise DataError(f"{path}: records of several segments are not supported")
    n_signals = int(record["n_signals"])
    if len(content) - 1 < n_signals:
        raise DataError(f"{path}: expected {n_signals} signal lines, found {len(content) - 1}")
    return Header(
        name=record["name"],
        fs_hz=float(record["fs"] or DEFAULT_FS_HZ),
        n_samples=int(record["n_samples"] or 0) or None,
        signals=tuple(_signal_spec(line, path) for line in content[1 : n_signals + 1]),
        comments=comments,
    )


def _signal_spec(line: str, path: Path) -> SignalSpec:
    # File, format, gain, ADC resolution, ADC zero, initial value, checksum, block size, description.
    columns = line.split(None, 8)
    layout = _FORMAT.fullmatch(columns[1]) if len(columns) > 1 else None
    gain = _GAIN.fullmatch(columns[2]) if len(columns) > 2 else None
    if layout is None or (len(columns) > 2 and gain is None):
        raise DataError(f"{path}: expected a WFDB signal line, found {line!r}")
    if int(layout["per_frame"] or 1) != 1 or int(layout["skew"] or 0) != 0:
        raise DataError(f"{path}: several samples per frame or skew are not supported: {line!r}")
    adc_zero = int(columns[4]) if len(columns) > 4 else 0
    return SignalSpec(
        file_name=columns[0],
        format=int(layout["format"]),
        byte_offset=int(layout["offset"] or 0),
        gain=(float(gain["gain"]) if gain else 0.0) or DEFAULT_GAIN,
        baseline=int(gain["baseline"]) if gain and gain["baseline"] else adc_zero,
        units=(gain["units"] if gain else None) or "mV",
        description=columns[8].strip() if len(columns) > 8 else "",
    )


def read_signal(folder: Path, header: Header, channel: int) -> NDArray[np.float32]:
    """Read one signal of a record.

    Returns:
        Millivolts, float32, shape (n_samples,); invalid samples are NaN.

    Raises:
        DataError: The file is missing or shorter than in the header, or format or unit are unknown.
    """
    spec = header.signals[channel]
    unit_mv = MILLIVOLTS_PER_UNIT.get(spec.units.lower())
    if unit_mv is None:
        raise DataError(f"{folder / spec.file_name}: expected mV, uV or V, found unit {spec.units!r}")
    counts = _read_counts(folder / spec.file_name, header, channel)
    invalid = counts == INVALID_COUNT[spec.format]
    ecg_mv = ((counts.astype(np.float64) - spec.baseline) * (unit_mv / spec.gain)).astype(np.float32)
    ecg_mv[invalid] = np.nan
    return ecg_mv


def _read_counts(path: Path, header: Header, channel: int) -> NDArray[np.int16]:
    spec = header.signals[channel]
    decode = DECODERS.get(spec.format)
    if decode is None:
        raise DataError(f"{path}: expected format {sorted(DECODERS)}, found {spec.format}")
    if not path.is_file():
        raise DataError(f"{path}: the header names this file, but it is missing")
    interleaved = [i for i, other in enumerate(header.signals) if other.file_name == spec.file_name]
    stored = decode(path.read_bytes()[spec.byte_offset :])
    n_found = stored.size // len(interleaved)
    n_samples = header.n_samples or n_found
    if n_found < n_samples:
        raise DataError(f"{path}: expected {n_samples} samples per signal, found {n_found}")
    counts = stored[: n_samples * len(interleaved)].reshape(n_samples, len(interleaved))
    # The header's 16-bit checksum is not compared: 11 records of ECG-ID fail it as PhysioNet publishes them.
    return np.ascontiguousarray(counts[:, interleaved.index(channel)])


def _decode_16(raw: bytes) -> NDArray[np.int16]:
    return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int16)


def _decode_80(raw: bytes) -> NDArray[np.int16]:
    return np.frombuffer(raw, np.uint8).astype(np.int16) - np.int16(128)


def _decode_212(raw: bytes) -> NDArray[np.int16]:
    """Decode two 12-bit samples in three bytes: low byte, both high nibbles (first one low), low byte."""
    # An odd number of samples ends on two bytes; the zero completes the last triple.
    n_samples = len(raw) * 2 // 3
    packed = np.frombuffer(raw + b"\0" * (-len(raw) % 3), np.uint8).astype(np.int16).reshape(-1, 3)
    first = packed[:, 0] | (packed[:, 1] & 0x0F) << 8
    second = packed[:, 2] | (packed[:, 1] & 0xF0) << 4
    twelve_bits = np.stack([first, second], axis=1).reshape(-1)[:n_samples]
    return np.where(twelve_bits > 2047, twelve_bits - 4096, twelve_bits).astype(np.int16)


DECODERS: dict[int, Callable[[bytes], NDArray[np.int16]]] = {16: _decode_16, 80: _decode_80, 212: _decode_212}
# The lowest value of each format marks a sample that was not digitized.
INVALID_COUNT = {16: -32768, 80: -128, 212: -2048}
