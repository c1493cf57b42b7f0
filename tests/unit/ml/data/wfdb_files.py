"""Writers of small WFDB files, for tests; plain enough to be checked against the format's text."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

CODES = {"N": 1, "V": 5, "t": 27, "+": 28, '"': 22, "[": 32, "]": 33}


def encode_16(samples: Sequence[int]) -> bytes:
    return b"".join(struct.pack("<h", sample) for sample in samples)


def encode_80(samples: Sequence[int]) -> bytes:
    return bytes(sample + 128 for sample in samples)


def encode_212(samples: Sequence[int]) -> bytes:
    raw = bytearray()
    for first, second in zip(samples[::2], [*samples[1::2], 0], strict=False):
        raw += bytes([first & 0xFF, (first >> 8 & 0xF) | (second >> 8 & 0xF) << 4, second & 0xFF])
    return bytes(raw[:-1] if len(samples) % 2 else raw)


ENCODERS = {16: encode_16, 80: encode_80, 212: encode_212}


def write_record(
    folder: Path,
    name: str,
    counts: np.ndarray,
    *,
    fs_hz: int = 500,
    signal_format: int = 16,
    gain: str = "200",
    adc_zero: int = 0,
    leads: Sequence[str] = ("I",),
    comments: Sequence[str] = (),
) -> Path:
    """Write a record of counts, shape (n_samples, n_leads), into one file; return the header's path."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {counts.shape[1]} {fs_hz} {counts.shape[0]}"]
    lines += [f"{name}.dat {signal_format} {gain} 12 {adc_zero} {counts[0, 0]} 0 0 {lead}" for lead in leads]
    lines += [f"# {comment}" for comment in comments]
    (folder / f"{name}.dat").write_bytes(ENCODERS[signal_format](counts.reshape(-1).tolist()))
    header = folder / f"{name}.hea"
    header.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return header


def word(code: int, value: int) -> bytes:
    return struct.pack("<H", code << 10 | value & 0x3FF)


def skip(interval: int) -> bytes:
    return word(59, 0) + struct.pack("<h", interval >> 16) + struct.pack("<H", interval & 0xFFFF)


def text(note: str) -> bytes:
    raw = note.encode()
    return word(63, len(raw)) + raw + b"\0" * (len(raw) % 2)


def write_annotations(path: Path, marks: Sequence[tuple[int, str]]) -> Path:
    """Write (sample, symbol) pairs, with a long interval where the short one does not reach."""
    raw, time = b"", 0
    for sample, symbol in marks:
        interval = sample - time
        if interval > 1023:
            raw += skip(interval)
            interval = 0
        raw += word(CODES[symbol], interval)
        time = sample
    path.write_bytes(raw + word(0, 0))
    return path
