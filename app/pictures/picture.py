"""Reports on recordings as one SVG, a card each, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from app.domain.captures import Capture, EcgStrip, FaceImage
from app.domain.quality import QualityReport
from app.pictures.ecg_panel import ecg_block, ecg_figures
from app.pictures.face_panel import face_block, face_figures
from app.pictures.fingerprint_panel import fingerprint_block, fingerprint_figures
from app.pictures.panel import Block, card, heading, stacked, summary_of
from app.pictures.style import STYLE_SHEET
from app.pictures.svg import WIDTH, element, group, joined, rectangle

_EDGE: Final = 10.0
_TITLE: Final = "What the service sees in the recordings"


def draw(captures: Sequence[Capture], reports: Sequence[QualityReport]) -> str:
    """Draw one card for each recording.

    Args:
        captures: As they came.
        reports: One of each, with facts where there is something to be seen.

    Returns:
        A whole document. It holds no script, no reference and no image, and at most some 300 kB for the
        largest request.
    """
    pairs = list(zip(captures, reports, strict=True))
    cards = stacked(*(_card(k, *pair) for k, pair in enumerate(pairs)), gap=_EDGE)
    summaries = " ".join(summary_of(k, *pair) for k, pair in enumerate(pairs))
    height = f"{cards.height + 2 * _EDGE:.0f}"
    return element(
        "svg",
        f"\n<title id='pp-title'>{escape(_TITLE)}</title>",
        f"\n<desc id='pp-desc'>{escape(summaries)}</desc>\n<style>{STYLE_SHEET}</style>\n",
        joined([rectangle(0, 0, WIDTH, float(height), class_="paper"), group(0, _EDGE, cards.content), ""]),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby="pp-title pp-desc",
    )


def _card(index: int, capture: Capture, report: QualityReport) -> Block:
    if isinstance(capture, EcgStrip):
        figures, seen = ecg_figures(capture, report), ecg_block(capture, report)
    elif isinstance(capture, FaceImage):
        figures, seen = face_figures(report), face_block(report)
    else:
        figures, seen = fingerprint_figures(report), fingerprint_block(report)
    head = heading(index, capture, report, figures)
    return card(stacked(head, seen, gap=14.0) if seen.height else head)
