"""What was seen of an ECG strip."""

from __future__ import annotations

from app.domain.captures import DrawableEcg, EcgStrip
from app.domain.quality import QualityReport
from app.pictures.beat_charts import beat_charts
from app.pictures.ecg_rows import strip_rows
from app.pictures.panel import Block, stacked


def ecg_figures(capture: EcgStrip, report: QualityReport) -> str:
    """The line of figures under the title."""
    duration_s = capture.signal.size / capture.fs_hz
    parts = []
    if report.accepted:
        parts.append(f"quality {report.score:.2f}")
    if report.heart_rate_bpm is not None:
        parts.append(f"{report.heart_rate_bpm:.0f} beats per minute")
    if report.evidence is not None and report.evidence.seconds is not None:
        parts.append(f"{report.evidence.seconds:.1f} of {duration_s:.1f} s used")
    else:
        parts.append(f"{duration_s:.1f} s")
    return " · ".join([*parts, f"{capture.fs_hz:g} Hz"])


def ecg_block(capture: EcgStrip, report: QualityReport) -> Block:
    """Strip and beats; of one that cannot be filtered at all, the raw strip."""
    if not isinstance(report.facts, DrawableEcg):
        return strip_rows(capture, None)
    drawing = report.facts.drawing()
    unit = {"uV": "µV", "raw": ""}.get(capture.unit, capture.unit)
    charts = beat_charts(drawing, unit)
    rows = strip_rows(capture, drawing)
    return stacked(rows, charts, gap=14.0) if charts.height else rows
