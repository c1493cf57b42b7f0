"""What is said of one candidate: decision, reasons, every modality's part, and what was missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.domain.activity import ActivityRecogniser
from app.domain.policies import CalibratedPolicy, DistancePolicy, Metric, Policy, distance
from app.domain.references import Modality
from app.domain.scores import (
    ActivityEstimate,
    ComparisonDecision,
    Decision,
    ModalityOutcome,
    ModalityStatus,
    Reason,
)
from app.services.matching import TransformedProbe
from app.services.probes import Probe
from app.services.scoring import Evidence, Scoreboard, ScoredPart

_FURTHER_UP_TO_S = 15.0
_FURTHER_STEP_S = 0.5


@dataclass(frozen=True)
class Enrolled:
    """Modalities a candidate can be compared in, and those left under retired encoders."""

    modalities: frozenset[Modality]
    retired: frozenset[Modality] = frozenset()


class Report:
    """Turns scoreboard rows into answers.

    Args:
        board: Scored candidates.
        probe: As it came, for what could not be used.
        probes: As it was compared.
    """

    def __init__(self, board: Scoreboard, probe: Probe, probes: Sequence[TransformedProbe]) -> None:
        self._board = board
        self._probe = probe
        self._probes = probes

    def decision(
        self,
        row: int,
        subject_id: str,
        enrolled: Enrolled,
        *,
        exact: bool,
        activity: ActivityEstimate | None = None,
    ) -> ComparisonDecision:
        """The decision on one candidate.

        Args:
            row: Which one.
            subject_id: Whose row it is; reported on a match only.
            enrolled: What the candidate has.
            exact: Whether the caller may see exact scores of non-matches (scope ``read:scores``).
            activity: What the probe tells besides identity.
        """
        board = self._board
        evidence = board.evidence(row)
        score, threshold = self.score(row), board.threshold(evidence)
        ceiling = board.ceiling_db(evidence)
        unreachable = threshold is not None and ceiling < threshold
        required_missing = self._required_missing(row)
        matches = bool(board.passes[row]) and not required_missing
        rounded = not (matches or exact)
        reported = self.score(row, rounded=rounded)
        missing = None if threshold is None or matches else max(0.0, threshold - score)
        settled = matches or required_missing
        return ComparisonDecision(
            decision=Decision.MATCH if matches else Decision.NON_MATCH,
            subject_id=subject_id if matches else None,
            score=reported,
            threshold=threshold,
            fmr_at_score=board.fmr_at(evidence, reported),
            policy=board.policy,
            modalities=self.outcomes(row, enrolled, rounded=rounded),
            reasons=(Reason.REQUIRED_MISSING,) * required_missing + (Reason.EVIDENCE_CEILING,) * unreachable,
            evidence_ceiling=ceiling if unreachable else None,
            shortfall_db=None if rounded else missing,
            further_seconds=None if rounded or settled else self._further_seconds(row, evidence),
            activity=activity,
        )

    def score(self, row: int, *, rounded: bool = False) -> float:
        """Fused score of a candidate in decibans."""
        score_db = float(self._board.score_db[row])
        return _floor_db(score_db) if rounded else score_db

    def outcomes(self, row: int, enrolled: Enrolled, *, rounded: bool) -> tuple[ModalityOutcome, ...]:
        """Every modality's part: those of the probe, then those the candidate has and the probe lacks."""
        slot = int(self._board.slots[row])
        used = {}
        for part in self._board.parts:
            at = part.row_of(slot)
            if at is not None:
                used[part.modality] = self._used(part, at, rounded=rounded)
        lacking = sorted(enrolled.modalities - set(self._probe.modalities))
        return tuple(
            used.get(modality) or self._unused(modality, enrolled)
            for modality in (*self._probe.modalities, *lacking)
        )

    def _required_missing(self, row: int) -> bool:
        policy, slot = self._board.policy, int(self._board.slots[row])
        used = {part.modality for part in self._board.parts if part.row_of(slot) is not None}
        return isinstance(policy, CalibratedPolicy) and not policy.required <= used

    def _used(self, part: ScoredPart, at: int, *, rounded: bool) -> ModalityOutcome:
        policy = self._board.policy
        metric = policy.rules[part.modality].metric if isinstance(policy, DistancePolicy) else Metric.COSINE
        source = next(probe for probe in self._probes if probe.encoder is part.comparisons.encoder)
        outcome = ModalityOutcome(
            modality=part.modality,
            status=ModalityStatus.USED,
            score=float(part.score_db[at]),
            distance=float(distance(part.comparisons.cosine[at], metric)),
            metric=metric,
            seconds=source.seconds if part.modality == Modality.ECG else None,
            quality=source.quality,
            encoder=source.encoder.encoder_id,
        )
        return _coarse(outcome) if rounded else outcome

    def _unused(self, modality: Modality, enrolled: Enrolled) -> ModalityOutcome:
        if modality not in self._probe.modalities:
            return ModalityOutcome(modality, ModalityStatus.MISSING)
        if modality in enrolled.retired and modality not in enrolled.modalities:
            return ModalityOutcome(modality, ModalityStatus.ENCODER_RETIRED)
        if any(found.encoder.modality == modality for found in self._probes):
            code = "not_comparable" if modality in enrolled.modalities else None
            return ModalityOutcome(modality, ModalityStatus.NOT_ENROLLED, code=code)
        return unusable_outcome(modality, self._probe, self._board.policy)

    def _further_seconds(self, row: int, evidence: Evidence) -> float | None:
        """Further ECG seconds that would suffice, if this were the person; None if no length would do.

        Evidence is expected to grow as the median mated score of the calibration people does.
        """
        board, slot = self._board, int(self._board.slots[row])
        for index, part in enumerate(board.parts):
            at = part.row_of(slot)
            if part.modality != Modality.ECG or at is None:
                continue
            now = next(p.seconds for p in self._probes if p.encoder is part.comparisons.encoder)
            if part.comparisons.seconds[at] < now:
                return None  # The enrolled side is the shorter one.
            lengths, scores = _scores_by_length(part, at, now)
            others = board.score_db[row] - part.score_db[at]
            classes = part.calibration.evidence_class(lengths)
            for seconds, score, evidence_class in zip(lengths, others + scores, classes, strict=True):
                threshold = board.threshold(evidence.with_class(index, int(evidence_class)))
                if threshold is not None and score >= threshold:
                    return float(seconds - now)
        return None


def unusable_outcome(modality: Modality, probe: Probe, policy: Policy) -> ModalityOutcome:
    """A modality of the probe that nobody could be compared in."""
    status, code = probe.status_of(modality, policy.quality_floor)
    if status is ModalityStatus.MISSING:  # Accepted, and nobody in the gallery has it.
        status = ModalityStatus.NOT_ENROLLED
    return ModalityOutcome(modality, status, code=code)


def activity_of(probe: Probe, recogniser: ActivityRecogniser | None) -> ActivityEstimate | None:
    """What the longest ECG tells besides identity: its heart rate, and the activity where one is served."""
    ecg = probe.longest_ecg
    if ecg is None:
        return None
    if recogniser is None or ecg.strip is None:
        return ActivityEstimate(activity=None, probability=None, heart_rate_bpm=ecg.heart_rate_bpm)
    return replace(recogniser.estimate(ecg.strip), heart_rate_bpm=ecg.heart_rate_bpm)


def _coarse(outcome: ModalityOutcome) -> ModalityOutcome:
    """Without what would let a caller climb towards a match: scores in whole dB, no distance."""
    if outcome.score is None:
        return outcome
    return replace(outcome, score=_floor_db(outcome.score), distance=None, metric=None)


def _floor_db(score_db: float) -> float:
    """Whole decibans, downwards."""
    return float(np.floor(score_db))


def _scores_by_length(part: ScoredPart, at: int, now_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores to be expected of longer probes of the same person: (seconds, dB)."""
    lengths = np.arange(now_s + _FURTHER_STEP_S, _FURTHER_UP_TO_S + _FURTHER_STEP_S, _FURTHER_STEP_S)
    compared, calibration = part.comparisons, part.calibration
    now_db = calibration.llr_db(
        compared.cosine[at, None], compared.seconds[at, None], compared.quality[at, None]
    )
    llr_db = part.gallery_null.apply(now_db + calibration.expected_gain_db(now_s, lengths))
    return lengths, calibration.soften_db(llr_db)
