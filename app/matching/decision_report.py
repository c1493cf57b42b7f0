"""What is said of one candidate: decision, reasons, every modality's part, and what was missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.activity import ActivityRecognizer
from app.domain.policies import CalibratedPolicy, DistancePolicy, Metric, Policy, distance
from app.domain.ports.encoders import Encoder
from app.domain.references import Modality
from app.domain.scores import (
    ActivityEstimate,
    ComparisonDecision,
    Decision,
    Fusion,
    ModalityOutcome,
    ModalityStatus,
    Reason,
)
from app.matching.encoded_captures import EncodedCaptures
from app.matching.further_evidence import further_seconds
from app.matching.policy_board import PolicyBoard
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.matching.scoreboard import Basis


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
        self, board: PolicyBoard, captures: EncodedCaptures, probes: Sequence[TransformedProbe]
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
        never: bool = False,
    ) -> ComparisonDecision:
        """The decision on one candidate.

        Args:
            row: Which one.
            subject_id: Whose row it is; reported on a match only.
            enrolled: What the candidate has.
            exact: Whether the caller may see scores of non-matches (scope `read:scores`).
            activity: What the probe tells besides identity.
            never: Whether it is a non-match whatever the score.
        """
        matches = self.matches(row) and not never
        if not (matches or exact):
            return self._withheld(self._without_scores(self.outcomes(row, enrolled)), activity)
        board, basis, score = self._board, self._board.basis(row), self.score(row)
        threshold = board.threshold(basis)
        required_missing = self._required_missing(row)
        reasons, ceiling = self._reasons(basis, threshold, required_missing=required_missing)
        return ComparisonDecision(
            decision=Decision.MATCH if matches else Decision.NON_MATCH,
            subject_id=subject_id if matches else None,
            score=score,
            threshold=threshold,
            threshold_basis=board.threshold_basis(basis),
            fmr_at_score=board.fmr_at(basis, score),
            policy=board.policy,
            fusion=self._fusion,
            modalities=self.outcomes(row, enrolled),
            reasons=reasons,
            evidence_ceiling=ceiling,
            shortfall_db=None if threshold is None or matches else max(0.0, threshold - score),
            further_amount=None if matches or required_missing else self._further_amount(row),
            activity=activity,
        )

    def nobody(self, activity: ActivityEstimate | None = None) -> ComparisonDecision:
        """A search that found nobody, without a word on who came nearest, or how near."""
        encoders = {one.modality: one.encoder for one in reversed(self._board.comparisons)}
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
        for part, comparisons in enumerate(self._board.comparisons):
            at = self._board.single_parts[part].row_of(slot)
            if at is not None:
                used[comparisons.modality] = self._used(part, at)
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
        basis = self._basis_of_probe()
        threshold = board.threshold(basis)
        compared = {one.modality for one in board.comparisons}
        reasons, ceiling = self._reasons(basis, threshold, required_missing=not self._required <= compared)
        return ComparisonDecision(
            decision=Decision.NON_MATCH,
            subject_id=None,
            score=None,
            threshold=threshold,
            threshold_basis=board.threshold_basis(basis),
            fmr_at_score=None,
            policy=board.policy,
            fusion=self._fusion,
            modalities=outcomes,
            reasons=reasons,
            evidence_ceiling=ceiling,
            activity=activity,
        )

    def _reasons(
        self, basis: Basis, threshold: float | None, *, required_missing: bool
    ) -> tuple[tuple[Reason, ...], float | None]:
        """Why, beyond score and threshold; with the ceiling of the evidence if it lies too low."""
        ceiling = self._board.ceiling_db(basis)
        unreachable = threshold is not None and ceiling < threshold
        given = {
            Reason.REQUIRED_MISSING: required_missing,
            Reason.EVIDENCE_CEILING: unreachable,
            Reason.UNCORRECTED_SENSOR: self._board.is_uncorrected,
        }
        return tuple(r for r, holds in given.items() if holds), ceiling if unreachable else None

    def _basis_of_probe(self) -> Basis:
        """As if the enrolled side were never the weaker one and had one position per modality.

        Each modality counts under its first encoder.
        """
        seen: set[Modality] = set()
        classes: list[int | None] = []
        comparisons = 1
        for compared in self._board.comparisons:
            first = compared.modality not in seen
            seen.add(compared.modality)
            source = self._source(compared.encoder)
            calibration = compared.encoder.calibration
            evidence_class = int(calibration.evidence_classes(source.evidence, source.comparisons))
            classes.append(evidence_class if first else None)
            comparisons *= int(calibration.shared(source.comparisons)) if first else 1
        return self._board.basis_of_probe(tuple(classes), comparisons)

    @property
    def _fusion(self) -> Fusion:
        return Fusion.FEATURE if self._board.is_fused else Fusion.SCORE

    @property
    def _required(self) -> frozenset[Modality]:
        policy = self._board.policy
        return policy.required if isinstance(policy, CalibratedPolicy) else frozenset()

    def _required_missing(self, row: int) -> bool:
        slot = int(self._board.slots[row])
        board = self._board
        both = zip(board.comparisons, board.single_parts, strict=True)
        used = {compared.modality for compared, part in both if part.row_of(slot) is not None}
        return not self._required <= used

    def _used(self, part: int, at: int) -> ModalityOutcome:
        policy, compared = self._board.policy, self._board.comparisons[part]
        metric = (
            policy.rules[compared.modality].metric if isinstance(policy, DistancePolicy) else Metric.COSINE
        )
        return replace(
            self._of_probe(compared.encoder),
            score=float(self._board.single_parts[part].score_db[at]),
            distance=float(distance(compared.raw_cosine[at], metric)),
            metric=metric,
        )

    def _of_probe(self, encoder: Encoder) -> ModalityOutcome:
        """A modality that was compared, as far as the probe alone goes."""
        return ModalityOutcome(
            modality=encoder.modality,
            status=ModalityStatus.USED,
            evidence=self._source(encoder).evidence,
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

    def _further_amount(self, row: int) -> float | None:
        """Further evidence that would suffice, if this were the person; None if none is known to."""
        if self._board.is_fused:
            return None
        for part, compared in enumerate(self._board.comparisons):
            found = further_seconds(self._board, row, part, self._source(compared.encoder).evidence)
            if found is not None:
                return found
        return None


def unusable_outcome(modality: Modality, captures: EncodedCaptures, policy: Policy) -> ModalityOutcome:
    """A modality of the request that nobody could be compared in."""
    status, code = captures.status_of(modality, policy.quality_floor)
    if status is ModalityStatus.MISSING:  # Accepted, and nobody in the gallery has it.
        status = ModalityStatus.NOT_ENROLLED
    return ModalityOutcome(modality, status, code=code)


def nothing_compared(
    policy: Policy, captures: EncodedCaptures, activity: ActivityEstimate | None, *, exact: bool
) -> ComparisonDecision:
    """No evidence about anybody is a non-match of 0 dB."""
    return ComparisonDecision(
        decision=Decision.NON_MATCH,
        subject_id=None,
        score=0.0 if exact else None,
        threshold=None,
        fmr_at_score=None,
        policy=policy,
        modalities=tuple(unusable_outcome(modality, captures, policy) for modality in captures.modalities),
        reasons=(Reason.NO_COMPARISON,),
        activity=activity,
    )


def activity_of(captures: EncodedCaptures, recognizer: ActivityRecognizer | None) -> ActivityEstimate | None:
    """What the longest ECG tells besides identity: its heart rate, and the activity where one is served."""
    ecg = captures.longest_ecg
    if ecg is None:
        return None
    if recognizer is None:
        return ActivityEstimate(activity=None, probability=None, heart_rate_bpm=ecg.heart_rate_bpm)
    return replace(recognizer.estimate(ecg.strip), heart_rate_bpm=ecg.heart_rate_bpm)
