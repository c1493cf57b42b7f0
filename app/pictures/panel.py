"""One recording in a picture: a card with its verdict in words, and below it what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.captures import Capture, EcgStrip, FingerprintImage
from app.domain.quality import QualityReport
from app.domain.references import UNKNOWN_POSITION, Modality
from app.pictures.svg import WIDTH, element, group, joined, rectangle, text, wrapped

MARGIN: Final = 28
INNER: Final = WIDTH - 2 * MARGIN
_NAMES: Final = {Modality.ECG: "ECG", Modality.FACE: "Face", Modality.FINGERPRINT: "Fingerprint"}
_LINE: Final = 20


@dataclass(frozen=True)
class Block:
    """Drawn elements that take so much height; drawn from y = 0 at x = 0."""

    height: float
    content: str


def stacked(*blocks: Block, gap: float = 0.0) -> Block:
    """Blocks one below the other."""
    parts, at = [], 0.0
    for block in blocks:
        parts.append(group(0, at, block.content))
        at += block.height + gap
    return Block(max(at - gap, 0.0), joined(parts))


def heading(index: int, capture: Capture, report: QualityReport, facts: str) -> Block:
    """Which recording this is, whether it is accepted, and what to know about it.

    Args:
        index: Place in the request, from 0.
        capture: The recording.
        report: Its verdict.
        facts: One line of figures.
    """
    lines = [text(name_of(index, capture), 0, 20, "title"), _pill(report)]
    at = 44
    for line in wrapped(facts, INNER) if facts else ():
        lines.append(text(line, 0, at, "body"))
        at += _LINE
    for sentence in _sentences(report):
        for number, line in enumerate(wrapped(sentence, INNER - 20)):
            lines.append(text("•", 4, at, "body") if number == 0 else "")
            lines.append(text(line, 18, at, "body"))
            at += _LINE
    return Block(at - 8, joined(lines))


def card(block: Block) -> Block:
    """A frame around all that belongs to one recording."""
    height = block.height + 2 * 20
    frame = rectangle(10, 0, WIDTH - 20, height, rx=10.0, class_="card")
    return Block(height, frame + group(MARGIN, 20, block.content))


def name_of(index: int, capture: Capture) -> str:
    """For example "1 · Fingerprint, right index"."""
    position = capture.position
    if isinstance(capture, EcgStrip) and position != UNKNOWN_POSITION:
        position = f"lead {position}"
    if isinstance(capture, FingerprintImage):
        position = position.replace("_", " ")
    known = "" if capture.position == UNKNOWN_POSITION else f", {position}"
    return f"{index + 1} · {_NAMES[capture.modality]}{known}"


def summary_of(index: int, capture: Capture, report: QualityReport) -> str:
    """A panel for those who do not see it."""
    verdict = f"accepted, quality {report.score:.2f}" if report.accepted else "not accepted"
    rate = report.heart_rate_bpm
    heart = "" if rate is None else f" {rate:.0f} beats per minute."
    return f"{name_of(index, capture)}: {verdict}.{heart} {' '.join(report.explanations)}".strip()


def _sentences(report: QualityReport) -> list[str]:
    """All that is to be said: of a rejected recording also what exactly was found."""
    found = () if report.accepted else report.reasons
    return [*report.explanations, *(f"{reason[:1].upper()}{reason[1:].rstrip('.')}." for reason in found)]


def _pill(report: QualityReport) -> str:
    kind, word = ("good", "✓ accepted") if report.accepted else ("bad", "✕ not accepted")
    width = 104.0 if report.accepted else 126.0
    return element(
        "g",
        rectangle(INNER - width, 0, width, 28, rx=14.0, class_=f"pill {kind}"),
        text(word, INNER - width / 2, 19, f"strong {kind}", "middle"),
    )
