"""Charts as small hand-written SVG: lines on linear, logarithmic or probit axes, bars, and squares of counts.

Colors follow the reader's scheme (light or dark), so that a picture needs no twin. Numbers have one decimal,
since a tenth of a pixel is invisible and the files stay small.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from xml.sax.saxutils import escape

Point = tuple[float, float]

WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 20, 44, 62
_LEGEND_LINE = 17
_DASHES = ("", "7 4", "2 3", "9 3 2 3")
_LIGHT = ("#0b62a8", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#be185d", "#0e7490", "#57534e")
_DARK = ("#6cb6ff", "#ff9c6b", "#6fdd8b", "#d2a8ff", "#f2cc60", "#ff9bce", "#56d4dd", "#c9c5bf")


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Args:
        label: What it shows, with its unit.
        low, high: Values at its ends; values beyond are drawn at the end.
        ticks: Values and their texts.
        transform: Strictly increasing; equal steps of it are equal distances in the picture.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    transform: Callable[[float], float]

    def place(self, value: float) -> float:
        """Return the position of a value between the ends, 0 to 1."""
        low, high = self.transform(self.low), self.transform(self.high)
        return (self.transform(min(max(value, self.low), self.high)) - low) / (high - low)


@dataclass(frozen=True)
class Series:
    """A named line.

    Args:
        name: For the legend.
        points: In order.
        marked: Whether points are drawn as dots.
        bars: Low and high end at each point; empty for none.
    """

    name: str
    points: tuple[Point, ...]
    marked: bool = False
    bars: tuple[Point, ...] = ()


def linear_axis(label: str, low: float, high: float, *, percent: bool = False) -> Axis:
    """Return a linear axis with ticks at round numbers."""
    step = _round_step((high - low) / 8.0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [k * step for k in range(first, last + 1)]
    return Axis(
        label, low, high, tuple((v, f"{100 * v:g} %" if percent else f"{v:g}") for v in values), float
    )


def log_axis(label: str, low: float, high: float, ticks: Sequence[float], unit: str = "") -> Axis:
    """Return a logarithmic axis with those of the given ticks that lie within its ends."""
    shown = tuple((tick, f"{tick:g}{unit}") for tick in ticks if low <= tick <= high)
    return Axis(label, low, high, shown, math.log)


def probit_axis(label: str, low: float, high: float) -> Axis:
    """Return an axis of shares by the quantile of the normal distribution, as for DET curves.

    Source:
        Martin et al., 1997, The DET curve in assessment of detection task performance.
    """
    shares = (1e-4, 1e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
    ticks = tuple((share, f"{100 * share:g} %") for share in shares if low <= share <= high)
    return Axis(label, low, high, ticks, NormalDist().inv_cdf)


def line_chart(title: str, x: Axis, y: Axis, series: Sequence[Series], note: str = "") -> str:
    """Draw lines, with a legend below that hides none of them."""
    height = HEIGHT + _LEGEND_LINE * len(series) + (_LEGEND_LINE if note else 0)
    frame = _Frame(x, y)
    parts = [_head(title, height), frame.grid()]
    for k, one in enumerate(series):
        parts += [frame.whiskers(one, k), frame.line(one, k), _legend_line(one.name, k)]
    return _finish(parts, note, HEIGHT + _LEGEND_LINE * len(series))


def bar_chart(title: str, axis: Axis, bars: Sequence[tuple[str, float, Point | None]], note: str = "") -> str:
    """Draw one horizontal bar per name, with its interval if there is one."""
    left, line = 250, 30
    width, bottom = WIDTH - left - _RIGHT - 60, _TOP + line * len(bars)
    parts = [_head(title, bottom + _BOTTOM + (_LEGEND_LINE if note else 0))]
    for value, text in axis.ticks:
        at = left + width * axis.place(value)
        parts.append(f'<path class="grid" d="M{at:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>')
    for k, (name, value, interval) in enumerate(bars):
        top = _TOP + k * line + 6
        middle = top + 9
        end = left + width * axis.place(value)
        parts.append(
            f'<text class="tick" x="{left - 8}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>'
        )
        parts.append(
            f'<rect class="fill{k % len(_LIGHT)}" x="{left}" y="{top}" width="{end - left:.1f}" height="18"/>'
        )
        if interval is not None:
            low, high = (left + width * axis.place(edge) for edge in interval)
            parts.append(f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}"/>')
            end = max(end, high)
        parts.append(
            f'<text class="tick" x="{end + 6:.1f}" y="{middle + 4}">{_value_text(axis, value)}</text>'
        )
    middle_x = left + width / 2.0
    parts.append(_axis_label(axis.label, middle_x, bottom + 40))
    return _finish(parts, note, bottom + 46)


def matrix_chart(
    title: str,
    names: Sequence[str],
    counts: Sequence[Sequence[int]],
    *,
    rows: str,
    columns: str,
    note: str = "",
) -> str:
    """Draw a square of counts, each shaded by its share of its row.

    Args:
        title: Of the picture.
        names: Of rows and columns alike.
        counts: By row and column.
        rows, columns: Labels of the axes.
        note: A line below.
    """
    left, top = 190, _TOP + 44
    width = min(100.0, (WIDTH - left - _RIGHT) / len(names))
    height = min(width, 46.0)
    bottom = top + height * len(names)
    parts = [_head(title, round(bottom) + 24 + (_LEGEND_LINE if note else 0))]
    parts.append(_axis_label(columns, left + width * len(names) / 2.0, _TOP + 4))
    parts.append(_side_label(rows, (top + bottom) / 2.0))
    for k, (name, row) in enumerate(zip(names, counts, strict=True)):
        x, y = left + width * (k + 0.5), top + height * (k + 0.5)
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{top - 8}" text-anchor="middle">{escape(name)}</text>'
            f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
        )
        whole = max(sum(row), 1)
        parts += [
            f'<rect class="fill0" fill-opacity="{0.75 * count / whole:.2f}" x="{left + width * at:.1f}" '
            f'y="{y - height / 2:.1f}" width="{width - 1:.1f}" height="{height - 1:.1f}"/>'
            f'<text class="tick" x="{left + width * (at + 0.5):.1f}" y="{y + 4:.1f}" text-anchor="middle">'
            f"{count}</text>"
            for at, count in enumerate(row)
        ]
    return _finish(parts, note, bottom + 12)


@dataclass(frozen=True)
class _Frame:
    x: Axis
    y: Axis

    def at(self, point: Point) -> Point:
        width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        return _LEFT + width * self.x.place(point[0]), HEIGHT - _BOTTOM - height * self.y.place(point[1])

    def grid(self) -> str:
        right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        parts = []
        for value, text in self.x.ticks:
            at = self.at((value, self.y.low))[0]
            parts.append(f'<path class="grid" d="M{at:.1f} {_TOP}V{bottom}"/>')
            parts.append(
                f'<text class="tick" x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>'
            )
        for value, text in self.y.ticks:
            at = self.at((self.x.low, value))[1]
            parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{right}"/>')
            parts.append(
                f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{text}</text>'
            )
        middle_x, middle_y = (_LEFT + right) / 2.0, (_TOP + bottom) / 2.0
        parts.append(f'<path class="frame" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
        parts.append(_axis_label(self.x.label, middle_x, bottom + 40))
        parts.append(_side_label(self.y.label, middle_y))
        return "\n".join(parts)

    def line(self, one: Series, k: int) -> str:
        places = [self.at(point) for point in one.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts = [f'<path class="line{k % len(_LIGHT)}"{_dash(k)} d="M{path}"/>'] if len(places) > 1 else []
        if one.marked or len(places) == 1:
            parts += [
                f'<circle class="fill{k % len(_LIGHT)}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places
            ]
        return "\n".join(parts)

    def whiskers(self, one: Series, k: int) -> str:
        parts = []
        for (x, _), (low, high) in zip(one.points, one.bars, strict=False):
            # Whiskers of lines at one x are drawn side by side, or they would hide each other.
            (at, bottom), (_, top) = self.at((x, low)), self.at((x, high))
            parts.append(f"M{at + 3 * (k % 3 - 1):.1f} {bottom:.1f}V{top:.1f}")
        return (
            f'<path class="line{k % len(_LIGHT)}" stroke-opacity="0.45" d="{"".join(parts)}"/>'
            if parts
            else ""
        )


def _head(title: str, height: int) -> str:
    def colors(of: Sequence[str]) -> str:
        rules = (f".line{k}{{stroke:{c}}}.fill{k}{{fill:{c}}}" for k, c in enumerate(of))
        return "".join(rules)

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>\n"
        "text{font-family:system-ui,-apple-system,'Segoe UI',Arial,sans-serif;fill:#24292f}\n"
        ".title{font-size:16px;font-weight:600}.label{font-size:13px}.tick,.note{font-size:12px}\n"
        ".paper{fill:#ffffff}.grid{stroke:#d8dee4;fill:none}.frame,.whisker{stroke:#57606a;fill:none}\n"
        f"[class^=line]{{fill:none;stroke-width:2}}{colors(_LIGHT)}\n"
        "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.grid{stroke:#2f363d}\n"
        f".frame,.whisker{{stroke:#9da7b1}}{colors(_DARK)}}}\n</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n'
        f'<text class="title" x="{_LEFT if len(title) < 70 else 12}" y="26">{escape(title)}</text>'
    )


def _axis_label(text: str, x: float, y: float) -> str:
    return f'<text class="label" x="{x}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def _side_label(text: str, y: float) -> str:
    return (
        f'<text class="label" transform="translate(18 {y}) rotate(-90)" text-anchor="middle">'
        f"{escape(text)}</text>"
    )


def _legend_line(name: str, k: int) -> str:
    at = HEIGHT - 8 + _LEGEND_LINE * k
    return (
        f'<path class="line{k % len(_LIGHT)}"{_dash(k)} d="M{_LEFT} {at}h34"/>'
        f'<text class="tick" x="{_LEFT + 42}" y="{at + 4}">{escape(name)}</text>'
    )


def _finish(parts: Sequence[str], note: str, at: float) -> str:
    written = f'<text class="note" x="12" y="{at + 6:g}">{escape(note)}</text>' if note else ""
    return "\n".join(part for part in [*parts, written, "</svg>"] if part) + "\n"


def _dash(k: int) -> str:
    """Lines differ in more than color."""
    dash = _DASHES[k % len(_DASHES)]
    return f' stroke-dasharray="{dash}"' if dash else ""


def _value_text(axis: Axis, value: float) -> str:
    return f"{100 * value:.2f} %" if any("%" in text for _, text in axis.ticks) else f"{value:.3g}"


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step - 1e-12)
