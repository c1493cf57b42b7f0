"""A strip along time, as sent and conditioned, with its R peaks and the verdict on each segment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.captures import EcgDrawing, EcgSegment, EcgStrip
from app.pictures.envelope import envelope
from app.pictures.panel import INNER, Block, stacked
from app.pictures.svg import element, group, joined, line, rectangle, round_ticks, text, tip, trace

LEFT: Final = 84
PLOT: Final = INNER - LEFT
ROW_S: Final = 20.0
"""Longer strips are broken into rows."""
_RAW_HEIGHT, _CLEAN_HEIGHT, _BAND_HEIGHT, _GAP = 64, 104, 18, 12
# Two points each: about what a line of this width shows, and 300 s stay within 300 kB.
_RAW_STRETCHES, _CLEAN_STRETCHES = 320, 640
_SHORTEST_GAP_S = 0.1
_REASONS: Final = {
    "signal_flat": "flat",
    "signal_saturated": "saturated",
    "samples_missing": "missing",
    "too_many_impulses": "odd samples",
    "no_heartbeat": "no heartbeat",
    "paced_rhythm": "paced",
    "quality_too_low": "too noisy",
}


@dataclass(frozen=True)
class _Track:
    """A signal with the scale it is drawn to."""

    y: NDArray[np.float64]
    fs_hz: float
    low: float
    high: float
    height: float

    @classmethod
    def of(cls, y: NDArray[np.float64], fs_hz: float, height: float, margin: float) -> _Track:
        """Its ordinary range: a few wild samples are clipped instead of flattening all others."""
        there = y[~np.isnan(y)]
        if there.size == 0:
            return cls(y, fs_hz, 0.0, 1.0, height)
        low, high = (float(edge) for edge in np.percentile(there, (0.2, 99.8)))
        low, high = low - margin * (high - low), high + margin * (high - low)
        return cls(y, fs_hz, low, high if high > low else low + 1.0, height)

    def place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return np.asarray(self.height * (1.0 - share))


def strip_rows(capture: EcgStrip, drawing: EcgDrawing | None) -> Block:
    """Rows of equal length one below the other; the conditioned strip only where there is one."""
    duration_s = capture.signal.size / capture.fs_hz
    raw = _Track.of(capture.signal.astype(np.float64), capture.fs_hz, _RAW_HEIGHT, 0.05)
    clean = None
    if drawing is not None:
        clean = _Track.of(drawing.ecg.astype(np.float64), drawing.fs_hz, _CLEAN_HEIGHT, 0.25)
    n_rows = max(1, math.ceil(duration_s / ROW_S - 1e-6))
    row_s = duration_s / n_rows
    unit = {"uV": "µV", "raw": ""}.get(capture.unit, capture.unit)
    rows = [_Row(k * row_s, row_s, unit).block(raw, clean, drawing) for k in range(n_rows)]
    return stacked(*rows, gap=20.0)


def _stretches_there(y: NDArray[np.float64], shortest_gap: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """What lies between gaps, each with where it starts; shorter gaps are passed over."""
    there = np.flatnonzero(~np.isnan(y))
    if there.size == y.size:
        yield 0, y
        return
    for places in np.split(there, np.flatnonzero(np.diff(there) > max(1, shortest_gap)) + 1):
        if places.size:
            every = np.arange(places[0], places[-1] + 1)
            yield int(places[0]), np.interp(every, places, y[places])


@dataclass(frozen=True)
class _Row:
    start_s: float
    span_s: float
    unit: str

    def block(self, raw: _Track, clean: _Track | None, drawing: EcgDrawing | None) -> Block:
        parts = [self._signal(raw, "raw", "as sent", _RAW_STRETCHES)]
        at = float(_RAW_HEIGHT + _GAP)
        if clean is not None and drawing is not None:
            shown = list(self._segments(drawing.segments))
            shades = joined(self._shade(one, _CLEAN_HEIGHT) for one in shown if not one.accepted)
            signal = self._signal(clean, "main", "cleaned", _CLEAN_STRETCHES)
            parts.append(group(0, at, shades, signal, self._peaks(clean, drawing)))
            at += _CLEAN_HEIGHT + 4
            parts.append(group(0, at, joined(self._band(one) for one in shown)))
            at += _BAND_HEIGHT
        parts.append(group(0, at, self._time_axis()))
        return Block(at + 24, joined(parts))

    def _x(self, time_s: float) -> float:
        return LEFT + PLOT * (min(max(time_s - self.start_s, 0.0), self.span_s) / self.span_s)

    def _signal(self, track: _Track, class_: str, name: str, stretches: int) -> str:
        first = round(self.start_s * track.fs_hz)
        piece = track.y[first : round((self.start_s + self.span_s) * track.fs_hz) + 1]
        if piece.size == 0:
            return ""
        lines = []
        for start, present in _stretches_there(piece, round(_SHORTEST_GAP_S * track.fs_hz)):
            at, y = envelope(present, max(1, stretches * present.size // piece.size))
            x = LEFT + PLOT * ((start + at) / track.fs_hz) / self.span_s
            lines.append(trace(np.minimum(x, LEFT + PLOT), track.place(y), class_))
        return self._scale(track, name) + joined(lines)

    def _scale(self, track: _Track, name: str) -> str:
        parts = [text(name, 0, track.height / 2 + (-3 if self.unit else 4), "small")]
        if self.unit:
            parts.append(text(self.unit, 0, track.height / 2 + 12, "small"))
        for tick in round_ticks(track.low, track.high, 3):
            y = float(track.place(np.array([tick]))[0])
            parts += [
                line(f"M{LEFT} {y:.1f}h{PLOT}", "grid"),
                text(f"{tick:g}", LEFT - 6, y + 4, "small", "end"),
            ]
        return joined(parts)

    def _peaks(self, clean: _Track, drawing: EcgDrawing) -> str:
        times_s = drawing.r_peaks / drawing.fs_hz
        inside = (times_s >= self.start_s) & (times_s < self.start_s + self.span_s)
        heights = clean.place(clean.y[drawing.r_peaks[inside]])
        parts = []
        for time_s, y, accepted in zip(times_s[inside], heights, drawing.accepted[inside], strict=True):
            # On the side away from the line: an R wave may point down.
            points_up = y < clean.height / 2
            d = "M{:.1f} {:.1f}l-4-7h8z" if points_up else "M{:.1f} {:.1f}l-4 7h8z"
            tip_y = max(y - 3, 7.0) if points_up else min(y + 3, clean.height - 7.0)
            parts.append(line(d.format(self._x(time_s), tip_y), "peak" if accepted else "peak off"))
        return joined(parts)

    def _segments(self, segments: Sequence[EcgSegment]) -> Iterator[EcgSegment]:
        end_s = self.start_s + self.span_s
        return (one for one in segments if one.start_s < end_s - 1e-6 and one.end_s > self.start_s + 1e-6)

    def _shade(self, segment: EcgSegment, height: float) -> str:
        left, right = self._x(segment.start_s), self._x(segment.end_s)
        return rectangle(left, 0, right - left, height, class_="shade")

    def _band(self, segment: EcgSegment) -> str:
        left, right = self._x(segment.start_s) + 1, self._x(segment.end_s) - 1
        words = _verdict(segment)
        kind = "good" if segment.accepted else "bad"
        parts = [rectangle(left, 0, right - left, 6, rx=2.0, class_=f"band {kind}")]
        if not segment.accepted:
            parts.append(line("".join(f"M{x:.0f} 6l6-6" for x in np.arange(left, right - 6, 9)), "hatch"))
        if right - left > 6 * len(words):
            parts.append(text(words, (left + right) / 2, 18, f"small {kind}", "middle"))
        return tip(f"{segment.start_s:.1f} to {segment.end_s:.1f} s: {words}", *parts)

    def _time_axis(self) -> str:
        parts = [line(f"M{LEFT} 6h{PLOT}", "rule")]
        for tick in round_ticks(self.start_s, self.start_s + self.span_s, 10):
            x = self._x(tick)
            parts += [line(f"M{x:.1f} 6v4", "rule"), text(f"{tick:g} s", x, 22, "small", "middle")]
        return element("g", *parts)


def _verdict(segment: EcgSegment) -> str:
    if segment.accepted:
        return f"used · {segment.score:.2f}"
    return "not used: " + ", ".join(_REASONS.get(reason, "poor") for reason in segment.reasons)
