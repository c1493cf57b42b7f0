"""The beats of a strip: laid over each other, and how fast they follow."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.captures import EcgDrawing
from app.pictures.panel import INNER, Block
from app.pictures.svg import group, joined, line, round_ticks, text, trace

_WIDTH, _HEIGHT, _LEFT, _TOP = (INNER - 32) / 2, 190.0, 56.0, 26.0
_MOST_BEATS: Final = 16
_BOTTOM: Final = 24.0


def beat_charts(drawing: EcgDrawing, unit: str) -> Block:
    """Two charts side by side; empty without whole accepted beats."""
    if drawing.mean_beat is None:
        return Block(0.0, "")
    right = group(_WIDTH + 32, 0, _rates(drawing))
    return Block(_TOP + _HEIGHT + _BOTTOM, joined([_overlaid(drawing, unit), right]))


def _overlaid(drawing: EcgDrawing, unit: str) -> str:
    n_beats = len(drawing.beats)
    assert drawing.mean_beat is not None
    chosen = np.unique(np.linspace(0, n_beats - 1, min(n_beats, _MOST_BEATS)).round().astype(int))
    beats = drawing.beats[chosen]
    low, high = (float(edge) for edge in np.percentile(beats, (0.1, 99.9)))
    frame = _Frame(
        float(drawing.beat_times_s[0]),
        float(drawing.beat_times_s[-1]),
        low - 0.08 * (high - low),
        high + 0.08 * (high - low),
    )
    times = drawing.beat_times_s[::3]
    counted = f"{n_beats} beats" if n_beats > 1 else "one beat"
    shown = "" if len(chosen) == n_beats else f" ({len(chosen)} shown)"
    return joined(
        [
            text(f"{counted}{shown} and their mean{f' ({unit})' if unit else ''}", 0, 12, "strong"),
            frame.axes("ms", 1e3),
            *(trace(frame.x(times), frame.y(beat[::3]), "beat") for beat in beats),
            trace(frame.x(drawing.beat_times_s), frame.y(drawing.mean_beat), "mean"),
        ]
    )


def _rates(drawing: EcgDrawing) -> str:
    """Heart rate from each beat to the next, where both and all between them are accepted."""
    times_s = drawing.r_peaks / drawing.fs_hz
    lost_s = np.array([segment.start_s for segment in drawing.segments if not segment.accepted])
    lost_before = np.searchsorted(lost_s, times_s)
    follows = drawing.accepted[1:] & drawing.accepted[:-1] & (lost_before[1:] == lost_before[:-1])
    if not follows.any():
        return ""
    rates_bpm = 60.0 / np.diff(times_s)
    usual = float(np.median(rates_bpm[follows]))
    spread = max(15.0, 1.2 * float(np.percentile(np.abs(rates_bpm[follows] - usual), 95)))
    frame = _Frame(0.0, drawing.ecg.size / drawing.fs_hz, max(0.0, usual - spread), usual + spread)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], follows, [False]]).astype(int)))
    stretches = zip(edges[::2], edges[1::2], strict=True)
    return joined(
        [
            text("beats per minute, from beat to beat", 0, 12, "strong"),
            frame.axes("s", 1.0),
            *(
                trace(
                    # A step lasts from one beat to the next.
                    frame.x(np.repeat(times_s[a : b + 1], 2)[1:-1]),
                    frame.y(np.repeat(rates_bpm[a:b], 2)),
                    "rate",
                )
                for a, b in stretches
            ),
        ]
    )


class _Frame:
    """Axes around a chart."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self._left, self._right = left, right
        self._low, self._high = low, high if high > low else low + 1.0

    def x(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(_LEFT + (_WIDTH - _LEFT) * (values - self._left) / (self._right - self._left))

    def y(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        share = (np.clip(values, self._low, self._high) - self._low) / (self._high - self._low)
        return np.asarray(_TOP + _HEIGHT * (1.0 - share))

    def axes(self, unit: str, factor: float) -> str:
        parts = []
        for tick in round_ticks(self._left * factor, self._right * factor, 6):
            x = float(self.x(np.array([tick / factor]))[0])
            parts.append(line(f"M{x:.1f} {_TOP:g}v{_HEIGHT:g}", "grid"))
            parts.append(text(f"{tick:g} {unit}", x, _TOP + _HEIGHT + 18, "small", "middle"))
        for tick in round_ticks(self._low, self._high, 4):
            y = float(self.y(np.array([tick]))[0])
            parts.append(line(f"M{_LEFT:g} {y:.1f}h{_WIDTH - _LEFT:g}", "grid"))
            parts.append(text(f"{tick:g}", _LEFT - 6, y + 4, "small", "end"))
        parts.append(line(f"M{_LEFT:g} {_TOP + _HEIGHT:g}h{_WIDTH - _LEFT:g}", "rule"))
        return joined(parts)
