"""What is said of one candidate: decision, reasons, every modality's part, and what was missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.domain.activity import ActivityRecogniser
from app.domain.policies import CalibratedPolicy, DistancePolicy, Metric, Policy, distance
from app.domain.ports import Encoder
from app.domain.references import Modality
from app.domain.scores import (
    ActivityEstimate,
    ComparisonDecision,
    Decision,
    ModalityOutcome,
    ModalityStatus,
    Reason,
)
from app.matching.encoded_captures import EncodedCaptures
from app.matching.matcher import TransformedProbe
from app.matching.scoreboard import Evidence, Scoreboard, ScoredPart

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
        captures: Of the request, for what could not be used.
        probes: As it was compared.
    """

    def __init__(
        self, board: Scoreboard, captures: EncodedCaptures, probes: Sequence[TransformedProbe]
    ) -> None:
        self._board = board
        self._captures = captures
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
            exact: Whether the caller may see scores of non-matches (scope ``read:scores``).
            activity: What the probe tells besides identity.
        """
        matches = self.matches(row)
        if not (matches or exact):
            return self._withheld(self._without_scores(self.outcomes(row, enrolled)), activity)
        board, evidence, score = self._board, self._board.evidence(row), self.score(row)
        threshold = board.threshold(evidence)
        required_missing = self._required_missing(row)
        reasons, ceiling = self._reasons(evidence, threshold, required_missing=required_missing)
        return ComparisonDecision(
            decision=Decision.MATCH if matches else Decision.NON_MATCH,
            subject_id=subject_id if matches else None,
            score=score,
            threshold=threshold,
            fmr_at_score=board.fmr_at(evidence, score),
            policy=board.policy,
            modalities=self.outcomes(row, enrolled),
            reasons=reasons,
            evidence_ceiling=ceiling,
            shortfall_db=None if threshold is None or matches else max(0.0, threshold - score),
            further_seconds=(None if matches or required_missing else self._further_seconds(row, evidence)),
            activity=activity,
        )

    def nobody(self, activity: ActivityEstimate | None = None) -> ComparisonDecision:
        """A search that found nobody, without a word on who came nearest, or how near."""
        encoders = {part.modality: part.comparisons.encoder for part in reversed(self._board.parts)}
        outcomes = [
            self._of_probe(encoders[modality])
            if modality in encoders
            else unusable_outcome(modality, self._captures, self._board.policy)
            for modality in self._captures.modalities
        ]
        return self._withheld(tuple(outcomes), activity)

    def matches(self, row: int) -> bool:
        """Whether this candidate passes its own threshold, with every required modality."""
        return bool(self._board.passes[row]) and not self._required_missing(row)

    def score(self, row: int) -> float:
        """Fused score of a candidate in decibans."""
        return float(self._board.score_db[row])

    def outcomes(self, row: int, enrolled: Enrolled) -> tuple[ModalityOutcome, ...]:
        """Every modality's part: those of the probe, then those the candidate has and the probe lacks."""
        slot = int(self._board.slots[row])
        used = {}
        for part in self._board.parts:
            at = part.row_of(slot)
            if at is not None:
                used[part.modality] = self._used(part, at)
        lacking = sorted(enrolled.modalities - set(self._captures.modalities))
        return tuple(
            used.get(modality) or self._unused(modality, enrolled)
            for modality in (*self._captures.modalities, *lacking)
        )

    def _withheld(
        self, outcomes: tuple[ModalityOutcome, ...], activity: ActivityEstimate | None
    ) -> ComparisonDecision:
        """A non-match that gives a caller nothing to climb by.

        Everything in it follows from the probe alone. The threshold too: with several positions enrolled,
        that of the comparison made would tell which of them was the nearest, and in a search, who was.
        """
        board = self._board
        evidence = self._evidence_of_probe()
        threshold = board.threshold(evidence)
        compared = {part.modality for part in board.parts}
        reasons, ceiling = self._reasons(evidence, threshold, required_missing=not self._required <= compared)
        return ComparisonDecision(
            decision=Decision.NON_MATCH,
            subject_id=None,
            score=None,
            threshold=threshold,
            fmr_at_score=None,
            policy=board.policy,
            modalities=outcomes,
            reasons=reasons,
            evidence_ceiling=ceiling,
            activity=activity,
        )

    def _reasons(
        self, evidence: Evidence, threshold: float | None, *, required_missing: bool
    ) -> tuple[tuple[Reason, ...], float | None]:
        """Why, beyond score and threshold; with the ceiling of the evidence if it lies too low."""
        ceiling = self._board.ceiling_db(evidence)
        unreachable = threshold is not None and ceiling < threshold
        reasons = (Reason.REQUIRED_MISSING,) * required_missing + (Reason.EVIDENCE_CEILING,) * unreachable
        return reasons, ceiling if unreachable else None

    def _evidence_of_probe(self) -> Evidence:
        """As if the enrolled side were never the shorter one and had one position per modality.

        Each modality counts under its first encoder.
        """
        seen: set[Modality] = set()
        classes: list[int | None] = []
        comparisons = 1
        for part in self._board.parts:
            first = part.modality not in seen
            seen.add(part.modality)
            source = self._source(part.comparisons.encoder)
            evidence_class = int(part.calibration.evidence_class(np.array([source.seconds]))[0])
            classes.append(evidence_class if first else None)
            comparisons *= len(source.templates) if first else 1
        return Evidence(tuple(classes), comparisons)

    @property
    def _required(self) -> frozenset[Modality]:
        policy = self._board.policy
        return policy.required if isinstance(policy, CalibratedPolicy) else frozenset()

    def _required_missing(self, row: int) -> bool:
        slot = int(self._board.slots[row])
        used = {part.modality for part in self._board.parts if part.row_of(slot) is not None}
        return not self._required <= used

    def _used(self, part: ScoredPart, at: int) -> ModalityOutcome:
        policy = self._board.policy
        metric = policy.rules[part.modality].metric if isinstance(policy, DistancePolicy) else Metric.COSINE
        return replace(
            self._of_probe(part.comparisons.encoder),
            score=float(part.score_db[at]),
            distance=float(distance(part.comparisons.cosine[at], metric)),
            metric=metric,
        )

    def _of_probe(self, encoder: Encoder) -> ModalityOutcome:
        """A modality that was compared, as far as the probe alone goes."""
        source = self._source(encoder)
        return ModalityOutcome(
            modality=encoder.modality,
            status=ModalityStatus.USED,
            seconds=source.seconds if encoder.modality == Modality.ECG else None,
            quality=source.quality,
            encoder=encoder.encoder_id,
        )

    def _source(self, encoder: Encoder) -> TransformedProbe:
        return next(probe for probe in self._probes if probe.encoder is encoder)

    @staticmethod
    def _without_scores(outcomes: Sequence[ModalityOutcome]) -> tuple[ModalityOutcome, ...]:
        return tuple(replace(outcome, score=None, distance=None, metric=None) for outcome in outcomes)

    def _unused(self, modality: Modality, enrolled: Enrolled) -> ModalityOutcome:
        if modality not in self._captures.modalities:
            return ModalityOutcome(modality, ModalityStatus.MISSING)
        if modality in enrolled.retired and modality not in enrolled.modalities:
            return ModalityOutcome(modality, ModalityStatus.ENCODER_RETIRED)
        if any(found.encoder.modality == modality for found in self._probes):
            code = "not_comparable" if modality in enrolled.modalities else None
            return ModalityOutcome(modality, ModalityStatus.NOT_ENROLLED, code=code)
        return unusable_outcome(modality, self._captures, self._board.policy)

    def _further_seconds(self, row: int, evidence: Evidence) -> float | None:
        """Further ECG seconds that would suffice, if this were the person; None if no length would do.

        Evidence is expected to grow as the median mated score of the calibration people does.
        """
        board, slot = self._board, int(self._board.slots[row])
        for index, part in enumerate(board.parts):
            at = part.row_of(slot)
            if part.modality != Modality.ECG or at is None:
                continue
            now = self._source(part.comparisons.encoder).seconds
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


def unusable_outcome(modality: Modality, captures: EncodedCaptures, policy: Policy) -> ModalityOutcome:
    """A modality of the request that nobody could be compared in."""
    status, code = captures.status_of(modality, policy.quality_floor)
    if status is ModalityStatus.MISSING:  # Accepted, and nobody in the gallery has it.
        status = ModalityStatus.NOT_ENROLLED
    return ModalityOutcome(modality, status, code=code)


def activity_of(captures: EncodedCaptures, recogniser: ActivityRecogniser | None) -> ActivityEstimate | None:
    """What the longest ECG tells besides identity: its heart rate, and the activity where one is served."""
    ecg = captures.longest_ecg
    if ecg is None:
        return None
    if recogniser is None:
        return ActivityEstimate(activity=None, probability=None, heart_rate_bpm=ecg.heart_rate_bpm)
    return replace(recogniser.estimate(ecg.strip), heart_rate_bpm=ecg.heart_rate_bpm)


def _scores_by_length(part: ScoredPart, at: int, now_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores to be expected of longer probes of the same person: (seconds, dB)."""
    lengths = np.arange(now_s + _FURTHER_STEP_S, _FURTHER_UP_TO_S + _FURTHER_STEP_S, _FURTHER_STEP_S)
    compared, calibration = part.comparisons, part.calibration
    now_db = calibration.llr_db(
        compared.cosine[at, None], compared.seconds[at, None], compared.quality[at, None]
    )
    llr_db = part.gallery_null.apply(now_db + calibration.expected_gain_db(now_s, lengths))
    return lengths, calibration.soften_db(llr_db)
