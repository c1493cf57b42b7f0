"""Would these recordings be accepted? Nothing is stored and nobody is compared."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.captures import Capture, EcgFacts
from app.domain.errors import FailureToAcquireError
from app.domain.ports.encoders import Encoders
from ml.runtime.evidence import Evidence


@dataclass(frozen=True)
class QualityReport:
    """One recording's quality; `code` says why it was rejected, the heart rate is an ECG's."""

    accepted: bool
    score: float
    reasons: tuple[str, ...]
    code: str | None = None
    evidence: Evidence | None = None
    heart_rate_bpm: float | None = None


class QualityService:
    """Asks the default encoders."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders

    def assess(self, recordings: tuple[Capture, ...]) -> tuple[QualityReport, ...]:
        """One report per recording, in order; poor signal is a value here."""
        return tuple(self._assess_one(recording) for recording in recordings)

    def _assess_one(self, recording: Capture) -> QualityReport:
        encoder = self._encoders.default(recording.modality)
        if encoder is None:
            reason = f"No encoder is loaded for {recording.modality}."
            return QualityReport(accepted=False, score=0.0, reasons=(reason,), code="modality_unavailable")
        try:
            encoding = encoder.encode(recording)
        except FailureToAcquireError as error:
            return QualityReport(accepted=False, score=0.0, reasons=(error.detail,), code=error.code)
        facts = encoding.facts
        return QualityReport(
            accepted=True,
            score=encoding.evidence.quality,
            reasons=encoding.reasons,
            evidence=encoding.evidence,
            heart_rate_bpm=facts.heart_rate_bpm if isinstance(facts, EcgFacts) else None,
        )
