"""What was seen of a fingerprint: where ridges are clear, and where they end or fork."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.captures import FingerprintFacts
from app.domain.image_findings import MM_PER_PX, print_area_mm2
from app.domain.quality import QualityReport
from app.pictures.image_frame import ImageFrame, figure, note
from app.pictures.panel import Block
from app.pictures.svg import element, joined, line, rectangle, text

_MOST_CELLS: Final = 64
"""Along one side; finer maps are thinned out."""
_LEVELS: Final = 5
_MOST_MINUTIAE: Final = 200
_SCALE_MM: Final = 5.0


def fingerprint_figures(report: QualityReport) -> str:
    """The line of figures under the title."""
    parts = [f"quality {report.score:.2f}"] if report.accepted else []
    if isinstance(report.facts, FingerprintFacts):
        parts.append(f"{print_area_mm2(report.facts):.0f} mm² of ridges")
        parts.append("{} × {} pixels at 500 dpi".format(*report.facts.size_px))
    return " · ".join(parts)


def fingerprint_block(report: QualityReport) -> Block:
    """Quality map and minutiae; nothing where the encoder saw no print."""
    facts = report.facts
    if not isinstance(facts, FingerprintFacts):
        return Block(0.0, "")
    frame = ImageFrame(facts.size_px)
    column = [figure(str(len(facts.minutiae.direction)), "ridge endings and forks (minutiae)")]
    if facts.ridge_period_px is not None:
        column.append(figure(f"{facts.ridge_period_px * MM_PER_PX:.2f}", "mm from ridge to ridge"))
        column.append(_ridges(facts.ridge_period_px * frame.scale))
    column += [_legend(), note("Each mark is a minutia and points along its ridge. The image is not shown.")]
    inside = joined([_quality_map(facts, frame), _minutiae(facts, frame), _scale_bar(frame)])
    return frame.beside(inside, column)


def _quality_map(facts: FingerprintFacts, frame: ImageFrame) -> str:
    """Runs of cells of one level of quality, one path for each level."""
    thin = max(1, -(-max(facts.mask.shape) // _MOST_CELLS))
    mask, quality = facts.mask[::thin, ::thin], facts.quality_map[::thin, ::thin]
    side = facts.cell_px * thin * frame.scale
    level = np.where(mask, 1 + np.clip((quality * _LEVELS).astype(int), 0, _LEVELS - 1), 0)
    return joined(_runs(level == one, side, frame, _opacity(one)) for one in range(1, _LEVELS + 1))


def _runs(cells: NDArray[np.bool_], side: float, frame: ImageFrame, opacity: str) -> str:
    parts = []
    for row, inside in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            # Absolute, so that neighbors share their edges to the tenth and leave no seams.
            left, right = (min(edge * side, frame.width) for edge in (first, end))
            top, bottom = (min(edge * side, frame.height) for edge in (row, row + 1))
            parts.append(f"M{left:.1f} {top:.1f}H{right:.1f}V{bottom:.1f}H{left:.1f}z")
    return element("path", class_="cell", fill_opacity=opacity, d="".join(parts)) if parts else ""


def _opacity(level: int) -> str:
    return f"{0.06 + 0.1 * level:.2f}"


def _minutiae(facts: FingerprintFacts, frame: ImageFrame) -> str:
    """The best ones, if there are more than can be told apart."""
    points = facts.minutiae
    chosen = np.argsort(-points.quality, kind="stable")[:_MOST_MINUTIAE]
    parts = []
    for k in chosen.tolist():
        x, y = frame.at(float(points.xy[k, 0]), float(points.xy[k, 1]))
        parts.append(_mark(x, y, float(points.direction[k]), float(points.quality[k])))
    return joined(parts)


def _mark(x: float, y: float, direction: float, quality: float) -> str:
    kind = "strong" if quality >= 0.67 else "fair" if quality >= 0.33 else "weak"
    dx, dy = math.cos(direction), math.sin(direction)
    ring = f"M{x - 3.2:.1f} {y:.1f}a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0"
    return line(f"{ring}M{x + 3.2 * dx:.1f} {y + 3.2 * dy:.1f}l{8 * dx:.1f} {8 * dy:.1f}", f"mark {kind}")


def _scale_bar(frame: ImageFrame) -> str:
    length = _SCALE_MM / MM_PER_PX * frame.scale
    y = frame.height - 12
    bar = line(f"M12 {y - 4:.1f}v8m0-4h{length:.1f}m0-4v8", "span")
    return bar + text(f"{_SCALE_MM:g} mm", 16, y - 7, "small")


def _ridges(period: float) -> Block:
    """Ridges as far apart as in the frame."""
    stripes = (rectangle(k * period, 0, period / 2, 22, class_="bar") for k in range(8))
    return Block(40, joined([*stripes, text("to the same scale", 8 * period + 8, 16)]))


def _legend() -> Block:
    squares = [
        rectangle(112 + 24 * (level - 1), 0, 24, 14, class_="cell", fill_opacity=_opacity(level))
        for level in range(1, _LEVELS + 1)
    ]
    marks = [
        joined([_mark(6 + 110 * k, 42, -0.6, quality), text(word, 22 + 110 * k, 46)])
        for k, (word, quality) in enumerate((("sure", 0.9), ("fair", 0.5), ("doubtful", 0.1)))
    ]
    return Block(66, joined([text("ridges: unclear", 0, 12), *squares, text("clear", 240, 12), *marks]))
