"""Comparisons of all modalities, fused: one score and one threshold per candidate (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.runtime.calibration.nulls import Null, fused
from ml.runtime.matching.demand import Demand
from ml.runtime.matching.order import CandidateOrder
from ml.runtime.matching.scored_part import ScoredPart

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_CODES = 8  # more than evidence classes, "not used" included


@dataclass(frozen=True)
class Basis:
    """What a candidate's threshold depends on.

    Args:
        classes: The evidence class of each part of a scoreboard; None where a part was not used.
        comparisons: How many comparisons share the false-match rate (`Calibration.shared`). Within a modality
            the largest of several counts (probe positions by enrolled positions), and each of them may match
            by chance; over modalities their numbers multiply, since any of one may meet any of another.
    """

    classes: tuple[int | None, ...]
    comparisons: int = 1

    def with_class(self, part: int, evidence_class: int) -> Basis:
        """Return the same with another class of one part."""
        return replace(self, classes=(*self.classes[:part], evidence_class, *self.classes[part + 1 :]))


@dataclass(frozen=True, eq=False)
class Decisions:
    """Every candidate against a threshold of its own.

    Args:
        score_db: Softened scores, float64, shape (n,).
        thresholds_db: Shape (n,).
        llr_db: Unsoftened scores, shape (n,).
    """

    score_db: FloatArray
    thresholds_db: FloatArray
    llr_db: FloatArray

    @cached_property
    def passes(self) -> BoolArray:
        """Which candidates reach their threshold."""
        return np.asarray(self.score_db >= self.thresholds_db)

    @cached_property
    def order(self) -> CandidateOrder:
        """Which come first."""
        return CandidateOrder(self.score_db - self.thresholds_db, self.llr_db)


class Scoreboard:
    """Every candidate that was compared in at least one part.

    Args:
        parts: Scored comparisons; parts of one modality (encoder versions) do not share slots.
    """

    def __init__(self, parts: Sequence[ScoredPart]) -> None:
        self.parts = tuple(parts)
        self.slots = _united([part.slots for part in parts])
        n = self.slots.size
        self.score_db: FloatArray = np.zeros(n)
        self.llr_db: FloatArray = np.zeros(n)
        self._classes: IntArray = np.full((len(self.parts), n), -1, dtype=np.int64)
        self._comparisons: IntArray = np.ones(n, dtype=np.int64)
        for index, part in enumerate(self.parts):
            at = np.searchsorted(self.slots, part.slots)
            self.score_db[at] += part.score_db
            self.llr_db[at] += part.llr_db
            self._classes[index, at] = part.classes
            self._comparisons[at] *= part.shared

    def __len__(self) -> int:
        """Return the number of candidates."""
        return int(self.slots.size)

    def basis(self, row: int) -> Basis:
        """Return what the threshold of a candidate depends on."""
        classes = tuple(None if c < 0 else int(c) for c in self._classes[:, row])
        return Basis(classes, int(self._comparisons[row]))

    def null(self, basis: Basis) -> Null:
        """Return the null of the fused score of one comparison in each part."""
        used = zip(self.parts, basis.classes, strict=True)
        return fused(
            [part.null(evidence_class) for part, evidence_class in used if evidence_class is not None]
        )

    def threshold_db(self, basis: Basis, demand: Demand) -> float:
        """Return the score that keeps the demanded rates."""
        return demand.threshold_db(self.null(basis), basis.comparisons)

    def is_measured(self, basis: Basis, demand: Demand) -> bool:
        """Return whether that score was counted among non-mated pairs, and not extrapolated."""
        return demand.is_measured(self.null(basis), basis.comparisons)

    def fmr_at(self, basis: Basis, score_db: float) -> float:
        """Return the false-match rate if this score were the threshold: of all comparisons together."""
        return min(1.0, basis.comparisons * self.null(basis).fmr_at(score_db))

    def ceiling_db(self, basis: Basis) -> float:
        """Return what the used parts can reach at most."""
        used = zip(self.parts, basis.classes, strict=True)
        return sum(part.ceiling_db for part, evidence_class in used if evidence_class is not None)

    def decide(self, demand: Demand) -> Decisions:
        """Return every candidate its threshold."""
        return Decisions(self.score_db, self._thresholds_db(demand), self.llr_db)

    def _thresholds_db(self, demand: Demand) -> FloatArray:
        weights = _CODES ** np.arange(len(self.parts))
        codes = weights @ (self._classes + 1)  # (n,): one number per combination of evidence classes
        numbers = np.bincount(self._comparisons) > 0  # Of comparisons; few differ.
        if np.count_nonzero(numbers) > 1:
            codes += _CODES ** len(self.parts) * (np.cumsum(numbers)[self._comparisons] - 1)
        by_code = np.zeros(int(codes.max(initial=0)) + 1)
        for code in np.flatnonzero(np.bincount(codes)):
            by_code[code] = self.threshold_db(self.basis(int(np.argmax(codes == code))), demand)
        return np.asarray(by_code[codes])


def _united(slots: Sequence[IntArray]) -> IntArray:
    """All slots, ascending; those of one part are so already."""
    if len(slots) == 1:
        return slots[0]
    return np.unique(np.concatenate(slots or [np.zeros(0, dtype=np.int64)]))
