"""What was seen of a face: where it is and how it is turned, on an outline and never on the photograph."""

from __future__ import annotations

from typing import Final

from app.domain.captures import FaceFacts
from app.domain.image_findings import LOW_PART, eye_distance_px
from app.domain.quality import QualityReport
from app.pictures.image_frame import ImageFrame, figure, note
from app.pictures.panel import Block
from app.pictures.svg import element, joined, line, rectangle, text

_MOST_PARTS: Final = 8
_BAR: Final = 180.0


def face_figures(report: QualityReport) -> str:
    """The line of figures under the title."""
    parts = [f"quality {report.score:.2f}"] if report.accepted else []
    if isinstance(report.facts, FaceFacts):
        parts.append("{} × {} pixels".format(*report.facts.size_px))
    return " · ".join(parts)


def face_block(report: QualityReport) -> Block:
    """Box and landmarks; nothing where the encoder saw no face."""
    facts = report.facts
    if not isinstance(facts, FaceFacts):
        return Block(0.0, "")
    frame = ImageFrame(facts.size_px)
    column = [figure(f"{eye_distance_px(facts):.0f}", "pixels between the eyes")]
    column += [_part(name, value) for name, value in list(facts.quality_parts.items())[:_MOST_PARTS]]
    column.append(
        note(
            "The dots are the eyes, the tip of the nose and the corners of the mouth as the service found "
            "them. The photograph is not shown."
        )
    )
    return frame.beside(joined([_head(facts, frame), _landmarks(facts, frame)]), column)


def _head(facts: FaceFacts, frame: ImageFrame) -> str:
    left, top, width, height = (float(edge) for edge in facts.box)
    (x0, y0), (x1, y1) = frame.at(left, top), frame.at(left + width, top + height)
    middle_x, middle_y, across, along = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    oval = element("ellipse", cx=middle_x, cy=middle_y, rx=across, ry=along, class_="head")
    return oval + rectangle(x0, y0, x1 - x0, y1 - y0, rx=3.0, class_="box")


def _landmarks(facts: FaceFacts, frame: ImageFrame) -> str:
    points = [frame.at(float(x), float(y)) for x, y in facts.landmarks]
    (rx, ry), (lx, ly), nose, mouth_right, mouth_left = points
    bridge = ((rx + lx) / 2, (ry + ly) / 2)
    lines = [
        line(f"M{rx:.1f} {ry:.1f}L{lx:.1f} {ly:.1f}", "span"),
        line(f"M{bridge[0]:.1f} {bridge[1]:.1f}L{nose[0]:.1f} {nose[1]:.1f}", "span"),
        line("M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*mouth_right, *mouth_left), "span"),
    ]
    return joined([*lines, *(element("circle", cx=x, cy=y, r=3.6, class_="dot") for x, y in points)])


def _part(name: str, value: float) -> Block:
    share = min(max(value, 0.0), 1.0)
    kind = "bar low" if share < LOW_PART else "bar"
    parts = [
        text(name.replace("_", " "), 0, 14, "body"),
        rectangle(120, 4, _BAR, 10, rx=3.0, class_="track"),
        rectangle(120, 4, _BAR * share, 10, rx=3.0, class_=kind),
        text(f"{share:.2f}", 132 + _BAR, 14, "small"),
    ]
    return Block(24, joined(parts))
