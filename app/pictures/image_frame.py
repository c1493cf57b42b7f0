"""Where something lies in an image, drawn to scale beside words about it; the image itself is never shown.

Pictures end up in logs, tickets and caches, where nobody looks for faces and fingers. Whoever sent the image
still has it: what the service adds is what it found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from app.pictures.panel import INNER, Block
from app.pictures.svg import element, group, joined, rectangle, text, wrapped

SIDE: Final = 420.0
_GAP: Final = 36.0
_LINE: Final = 19


@dataclass(frozen=True)
class ImageFrame:
    """The frame of an image, scaled to fit.

    Args:
        size_px: Width and height of the image.
    """

    size_px: tuple[int, int]

    @property
    def scale(self) -> float:
        """Units of the picture for one pixel."""
        return SIDE / max(1, *self.size_px)

    @property
    def width(self) -> float:
        return self.size_px[0] * self.scale

    @property
    def height(self) -> float:
        return self.size_px[1] * self.scale

    def at(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Where a pixel lies, within the frame."""
        x, y = x_px * self.scale, y_px * self.scale
        return min(max(x, 0.0), self.width), min(max(y, 0.0), self.height)

    def beside(self, inside: str, column: Sequence[Block]) -> Block:
        """The frame with what lies in it, and a column of blocks to the right of it."""
        frame = rectangle(0, 0, self.width, self.height, rx=4.0, class_="rule")
        at, parts = 4.0, []
        left = SIDE + _GAP
        for block in column:
            parts.append(group(left, at, block.content))
            at += block.height
        centered = group((SIDE - self.width) / 2, 0, inside, frame)
        return Block(max(self.height, at) + 4, joined([centered, *parts]))


def figure(value: str, meaning: str) -> Block:
    """A number in large type with what it counts."""
    number = element("tspan", escape(value), class_="figure")
    words = element("tspan", escape(meaning), dx=9.0)
    return Block(44, element("text", number, words, x=0.0, y=24.0, class_="body"))


def note(sentence: str) -> Block:
    """A small remark, wrapped to the width of the column."""
    lines = wrapped(sentence, INNER - SIDE - _GAP)
    drawn = joined(text(one, 0, 14 + _LINE * number, "small") for number, one in enumerate(lines))
    return Block(_LINE * len(lines) + 8.0, drawn)
