"""Would these recordings be accepted? Nothing is stored and nobody is compared."""

from __future__ import annotations

from app.domain.captures import Capture, EcgFacts
from app.domain.errors import FailureToAcquireError
from app.domain.image_findings import findings_of
from app.domain.ports.encoders import Encoder, Encoders
from app.domain.quality import QualityReport, explain, explain_rejection


class QualityService:
    """Asks the default encoders."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders

    def assess(
        self, recordings: tuple[Capture, ...], *, look_at_rejected: bool = False
    ) -> tuple[QualityReport, ...]:
        """One report per recording, in order; poor signal is a value here.

        Args:
            recordings: To be judged.
            look_at_rejected: Add facts to the reports of rejected recordings too, as a picture of them needs.
        """
        return tuple(self._assess_one(recording, look_at_rejected) for recording in recordings)

    def _assess_one(self, recording: Capture, look_at_rejected: bool) -> QualityReport:
        encoder = self._encoders.default(recording.modality)
        if encoder is None:
            reason = f"No encoder is loaded for {recording.modality}."
            return _rejected("modality_unavailable", reason)
        try:
            return _accepted(encoder, recording)
        except FailureToAcquireError as error:
            seen = encoder.examine(recording) if look_at_rejected else None
            return _rejected(error.code, error.detail, seen)


def _accepted(encoder: Encoder, recording: Capture) -> QualityReport:
    encoding = encoder.encode(recording)
    findings = findings_of(encoding.facts)
    warnings = encoding.facts.warnings() if isinstance(encoding.facts, EcgFacts) else ()
    reasons = tuple(dict.fromkeys((*encoding.reasons, *(finding.code for finding in findings), *warnings)))
    return QualityReport(
        accepted=True,
        score=encoding.evidence.quality,
        reasons=reasons,
        explanations=explain(reasons, findings),
        evidence=encoding.evidence,
        facts=encoding.facts,
    )


def _rejected(code: str, detail: str, facts: object | None = None) -> QualityReport:
    return QualityReport(
        accepted=False,
        score=0.0,
        reasons=(detail,),
        explanations=explain_rejection(code),
        code=code,
        facts=facts,
    )
