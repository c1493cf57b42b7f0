"""SVG as text: a few elements, every text escaped, no script and no reference to anything outside.

Coordinates are rounded to a tenth of a unit, which nobody can see and which keeps pictures small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 960
_CHARACTER_PX: Final = 6.6  # Of the body text, a little more than its usual mean.


def element(name: str, *children: str, **attributes: str | float) -> str:
    """An element; `class_` becomes `class`, and underscores in names become hyphens."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_text(value))}" for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def text(content: str, x: float, y: float, class_: str = "small", anchor: str = "") -> str:
    """A line of text, escaped."""
    where: dict[str, str | float] = {"x": x, "y": y, "class_": class_}
    if anchor:
        where["text_anchor"] = anchor
    return element("text", escape(content), **where)


def rectangle(x: float, y: float, width: float, height: float, **attributes: str | float) -> str:
    return element("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), **attributes)


def line(d: str, class_: str) -> str:
    return element("path", class_=class_, d=d)


def tip(content: str, *children: str) -> str:
    """Elements with a text that appears when they are pointed at, and that is read aloud."""
    return element("g", element("title", escape(content)), *children)


def group(x: float, y: float, *children: str) -> str:
    """Elements moved by (x, y)."""
    return element("g", *children, transform=f"translate({_text(x)} {_text(y)})") if children else ""


def trace(x: NDArray[np.float64], y: NDArray[np.float64], class_: str) -> str:
    """A line through many points, five bytes each: whole tenths, each relative to the last.

    Its stroke is ten times as wide as it looks, because the line is drawn ten times as large.
    """
    if x.size < 2:
        return ""
    points = np.rint(np.column_stack([x, y]) * 10.0).astype(np.int64)
    steps = np.diff(points, axis=0).ravel().tolist()
    numbers = " ".join(map(str, steps)).replace(" -", "-")
    start = f"M{points[0, 0]} {points[0, 1]}l"
    return element("path", class_=class_, transform="scale(.1)", d=start + numbers)


def wrapped(content: str, width_px: float) -> list[str]:
    """A sentence in lines of at most this width; single words may be longer."""
    most = max(1, int(width_px / _CHARACTER_PX))
    lines = [""]
    for word in content.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(longer) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def joined(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)


def round_ticks(low: float, high: float, about: int) -> Sequence[float]:
    """Some round values between two ends, at least one if they differ."""
    if not high > low:
        return ()
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(f * power for f in (1.0, 2.0, 5.0, 10.0) if f * power >= rough * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(k * step) + 0.0 for k in np.arange(first, last + 1)]  # Never -0.


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 1) + 0.0:g}"
