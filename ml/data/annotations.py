"""WFDB annotation files in MIT format: marks at samples of a recording.

Source:
    Moody et al., WFDB Applications Guide, PhysioNet: annot(5), and the annotation codes of `ecgcodes.h`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.records import DataError

# Index = code; codes without a symbol are unused by the format.
_SYMBOLS = ' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'
# The codes that WFDB counts as heartbeats (`isqrs`).
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")

_NOT_AN_ANNOTATION = 0
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
# Notes that describe the file, not the recording.
_FILE_NOTE = "## "
_TIME_RESOLUTION = re.compile(r"## time resolution: ([\d.]+)")


@dataclass(frozen=True)
class Annotation:
    """One mark; `number`, `channel`, `subtype` and `text` are the format's optional fields."""

    sample: int
    symbol: str
    subtype: int = 0
    channel: int = 0
    number: int = 0
    text: str = ""


@dataclass
class _Reading:
    """Annotations read so far; NUM and CHN stay in force until changed, the rest is per annotation."""

    path: Path
    raw: bytes
    position: int = 0
    time: int = 0
    number: int = 0
    channel: int = 0
    found: list[Annotation] = field(default_factory=list)

    def take(self, n_bytes: int) -> bytes:
        chunk = self.raw[self.position : self.position + n_bytes]
        if len(chunk) < n_bytes:
            raise DataError(f"{self.path}: ends within an annotation at byte {self.position}")
        self.position += n_bytes
        return chunk

    def take_word(self) -> tuple[int, int]:
        (word,) = struct.unpack("<H", self.take(2))
        return word >> 10, word & 0x3FF


def read_annotations(path: Path, fs_hz: float) -> tuple[Annotation, ...]:
    """Read the annotations of a recording.

    Args:
        path: The file, usually `<record>.atr`.
        fs_hz: Sampling rate of the recording, in which annotations count samples.

    Raises:
        DataError: The file is cut off, lacks its end mark, has an unknown code, or counts at another rate.
    """
    reading = _Reading(path, path.read_bytes())
    code, value = reading.take_word()
    while (code, value) != (0, 0):
        if code == _SKIP:
            _skip(reading)
        elif code >= _NUM:
            _modify(reading, code, value)
        else:
            _annotate(reading, code, value)
        code, value = reading.take_word()
    _check_time_resolution(reading, fs_hz)
    return tuple(a for a in reading.found if not a.text.startswith(_FILE_NOTE))


def _check_time_resolution(reading: _Reading, fs_hz: float) -> None:
    for annotation in reading.found:
        stated = _TIME_RESOLUTION.match(annotation.text)
        if stated and float(stated[1]) != fs_hz:
            raise DataError(f"{reading.path}: expected {fs_hz} ticks per second, found {stated[1]}")


def _skip(reading: _Reading) -> None:
    # A long interval is stored the PDP-11 way: the high 16 bits first, each half little-endian.
    high, low = struct.unpack("<hH", reading.take(4))
    reading.time += (high << 16) + low


def _annotate(reading: _Reading, code: int, interval: int) -> None:
    reading.time += interval
    if code == _NOT_AN_ANNOTATION:
        return
    symbol = _SYMBOLS[code] if code < len(_SYMBOLS) else " "
    if symbol == " ":
        raise DataError(f"{reading.path}: unknown annotation code {code} at byte {reading.position - 2}")
    reading.found.append(Annotation(reading.time, symbol, channel=reading.channel, number=reading.number))


def _modify(reading: _Reading, code: int, value: int) -> None:
    """Apply a NUM, SUB, CHN or AUX word to the annotation before it."""
    if not reading.found:
        raise DataError(f"{reading.path}: field {code} comes before the first annotation")
    last = reading.found[-1]
    signed = value - 1024 if value > 511 else value
    if code == _NUM:
        reading.number = signed
        reading.found[-1] = replace(last, number=signed)
    elif code == _SUB:
        reading.found[-1] = replace(last, subtype=signed)
    elif code == _CHN:
        reading.channel = value
        reading.found[-1] = replace(last, channel=value)
    else:
        text = reading.take(value + value % 2)[:value].rstrip(b"\0").decode("utf-8", "replace")
        reading.found[-1] = replace(last, text=text)


def beat_labels(samples: NDArray[np.integer], symbols: NDArray[np.str_]) -> dict[str, object]:
    """Split annotations into heartbeats and other marks, under the names of `EcgRecord.labels`.

    Args:
        samples: Sample indices, integers, shape (n_annotations,).
        symbols: WFDB symbols, same shape.
    """
    is_beat = np.isin(symbols, sorted(BEAT_SYMBOLS))
    indices = samples.astype(np.int64)
    return {
        "r_peaks": indices[is_beat],
        "beat_symbols": symbols[is_beat],
        "marks": indices[~is_beat],
        "mark_symbols": symbols[~is_beat],
    }
