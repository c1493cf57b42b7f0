"""Comparisons of all modalities, fused: one score and one threshold per candidate (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np

from app.domain.policies import CalibratedPolicy, DistancePolicy, Policy
from app.domain.ports import Calibration, Float64Array, GalleryNull, IntArray, Null
from app.domain.references import Modality
from app.matching.comparisons import Comparisons
from app.matching.null_samples import NullSample


@dataclass(frozen=True)
class ScoredPart:
    """One modality under one encoder version: comparisons with their scores.

    Attributes:
        llr_db: Corrected, unsoftened; for the order. Float64, shape (n,).
        score_db: Softened; for the fused score.
        classes: Evidence classes.
        null: Of an evidence class, corrected.
    """

    comparisons: Comparisons
    gallery_null: GalleryNull
    llr_db: Float64Array
    score_db: Float64Array
    classes: IntArray
    null: Callable[[int], Null]

    @classmethod
    def of(cls, comparisons: Comparisons, sample: NullSample) -> ScoredPart:
        """Score comparisons by the bundle's calibration and the gallery's own correction."""
        calibration = comparisons.encoder.calibration
        fitted = sample.fitted()  # As it is now: decisions are written after the gallery's lock is released.
        llr_db = fitted.gallery_null.apply(
            calibration.llr_db(comparisons.cosine, comparisons.seconds, comparisons.quality)
        )
        return cls(
            comparisons=comparisons,
            gallery_null=fitted.gallery_null,
            llr_db=llr_db,
            score_db=calibration.soften_db(llr_db),
            classes=calibration.evidence_class(comparisons.seconds),
            null=fitted.null,
        )

    @property
    def modality(self) -> Modality:
        return self.comparisons.modality

    @property
    def calibration(self) -> Calibration:
        return self.comparisons.encoder.calibration

    @property
    def ceiling_db(self) -> float:
        return self.calibration.ceiling_db

    def row_of(self, slot: int) -> int | None:
        """Where a slot stands in the arrays of this part."""
        row = int(np.searchsorted(self.comparisons.slots, slot))
        return row if row < self.comparisons.slots.size and self.comparisons.slots[row] == slot else None


@dataclass(frozen=True)
class Evidence:
    """What a candidate's threshold depends on.

    Attributes:
        classes: The evidence class of each part of a scoreboard; ``None`` where a part was not used.
        comparisons: How many comparisons share the false-match rate. Within a modality the largest of several
            counts (probe positions by enrolled positions), and each of them may match by chance; over
            modalities their numbers multiply, since any of one may meet any of another.
    """

    classes: tuple[int | None, ...]
    comparisons: int = 1

    def with_class(self, part: int, evidence_class: int) -> Evidence:
        """The same, with another class of one part."""
        return replace(self, classes=(*self.classes[:part], evidence_class, *self.classes[part + 1 :]))


PASSING_DB = 1e6
"""Lifts candidates within all distances of a distance policy above the others."""
_CODES = 8  # more than evidence classes, "not used" included


class Scoreboard:
    """Every candidate that shares a modality with the probe.

    Args:
        parts: Scored modalities; parts of one modality (encoder versions) do not share slots.
        policy: What is demanded.
        searched: Whether this is a search (1:N), which divides ``fpir`` among the candidates.
        gallery_size: Subjects searched, if the parts are only a shortlist of them.
    """

    def __init__(
        self,
        parts: Sequence[ScoredPart],
        policy: Policy,
        *,
        searched: bool,
        gallery_size: int | None = None,
    ) -> None:
        self.parts = tuple(parts)
        self.policy = policy
        self._searched = searched
        self.slots = _united([part.comparisons.slots for part in parts])
        n = self.slots.size
        self.gallery_size = n if gallery_size is None else gallery_size
        self.score_db: Float64Array = np.zeros(n)
        self.llr_db: Float64Array = np.zeros(n)
        self._evidence: IntArray = np.full((len(self.parts), n), -1, dtype=np.int64)
        self._comparisons: IntArray = np.ones(n, dtype=np.int64)
        for index, part in enumerate(self.parts):
            at = np.searchsorted(self.slots, part.comparisons.slots)
            self.score_db[at] += part.score_db
            self.llr_db[at] += part.llr_db
            self._evidence[index, at] = part.classes
            self._comparisons[at] *= part.comparisons.compared

    def __len__(self) -> int:
        return int(self.slots.size)

    def evidence(self, row: int) -> Evidence:
        classes = tuple(None if c < 0 else int(c) for c in self._evidence[:, row])
        return Evidence(classes, int(self._comparisons[row]))

    def null(self, evidence: Evidence) -> Null:
        """Of the fused score of one comparison in each modality: the parts' nulls convolved."""
        nulls = [part.null(c) for part, c in zip(self.parts, evidence.classes, strict=True) if c is not None]
        return reduce(lambda total, null: total.convolve(null), nulls)

    def threshold(self, evidence: Evidence) -> float | None:
        """In decibans; ``None`` under a distance policy.

        The best of several comparisons reaches a score at most as often as all of them together do (Boole),
        whatever they have in common. So each of them gets its share of the rate.
        """
        if not isinstance(self.policy, CalibratedPolicy):
            return None
        size = self.gallery_size if self._searched else None
        return threshold_db(self.policy, self.null(evidence), evidence.comparisons, gallery_size=size)

    def fmr_at(self, evidence: Evidence, score_db: float) -> float:
        """The false-match rate if this score were the threshold: of all comparisons together."""
        return min(1.0, evidence.comparisons * self.null(evidence).fmr_at(score_db))

    def ceiling_db(self, evidence: Evidence) -> float:
        """What the used modalities can reach at most."""
        classes = zip(self.parts, evidence.classes, strict=True)
        return sum(part.ceiling_db for part, c in classes if c is not None)

    def ranking(self, limit: int) -> IntArray:
        """Rows of the best: at least ``limit`` of them and all that tie with the last one, unordered."""
        if limit >= len(self):
            return np.arange(len(self))
        cut = np.partition(self._order, len(self) - limit)[len(self) - limit]
        return np.flatnonzero(self._order >= cut)

    def margin_at(self, rank: int) -> float:
        """Score − threshold of the candidate at a rank from 1 on; −inf if there are fewer."""
        if rank > len(self):
            return -np.inf
        return float(np.partition(self._order, len(self) - rank)[len(self) - rank])

    @property
    def matching_margin_db(self) -> float:
        """The margin from which on candidates match."""
        return PASSING_DB / 2 if isinstance(self.policy, DistancePolicy) else 0.0

    def sort_key(self, row: int) -> tuple[float, float]:
        """Ascending is best first: score above threshold, then the unsoftened score."""
        return -float(self._order[row]), -float(self.llr_db[row])

    @cached_property
    def passes(self) -> np.ndarray:
        """Whether the score or the distances suffice; ``required`` modalities are not looked at here."""
        if isinstance(self.policy, DistancePolicy):
            return self._within_distances(self.policy)
        return self.score_db >= self._thresholds

    @cached_property
    def _order(self) -> Float64Array:
        if isinstance(self.policy, DistancePolicy):
            return np.where(self.passes, PASSING_DB, 0.0) + self.score_db
        return self.score_db - self._thresholds

    @cached_property
    def _thresholds(self) -> Float64Array:
        weights = _CODES ** np.arange(len(self.parts))
        codes = weights @ (self._evidence + 1)  # (n,): one number per combination of evidence classes
        numbers = np.bincount(self._comparisons) > 0  # Of comparisons; few differ.
        if np.count_nonzero(numbers) > 1:
            codes += _CODES ** len(self.parts) * (np.cumsum(numbers)[self._comparisons] - 1)
        by_code = np.zeros(int(codes.max(initial=0)) + 1)
        for code in np.flatnonzero(np.bincount(codes)):
            threshold_db = self.threshold(self.evidence(int(np.argmax(codes == code))))
            by_code[code] = np.nan if threshold_db is None else threshold_db
        return np.asarray(by_code[codes])

    def _within_distances(self, policy: DistancePolicy) -> np.ndarray:
        passing = np.ones(len(self), dtype=bool)
        for part in self.parts:
            at = np.searchsorted(self.slots, part.comparisons.slots)
            passing[at] &= policy.rules[part.modality].passes(part.comparisons.cosine)
        return passing


def threshold_db(
    policy: CalibratedPolicy, null: Null, comparisons: int = 1, *, gallery_size: int | None = None
) -> float:
    """The score that a candidate has to reach.

    Args:
        policy: States the rates.
        null: Of the fused score of one comparison in each modality.
        comparisons: Of which the best counts; each gets its share of the rates.
        gallery_size: Subjects searched; None in a verification.
    """
    threshold = null.threshold(policy.fmr_share(comparisons))
    if gallery_size is not None:
        threshold = max(threshold, null.threshold(policy.fpir_share(gallery_size, comparisons)))
    return threshold


def _united(slots: Sequence[IntArray]) -> IntArray:
    """All slots, ascending; those of one part are so already."""
    if len(slots) == 1:
        return slots[0]
    return np.unique(np.concatenate(slots or [np.zeros(0, dtype=np.int64)]))
