"""A scoreboard that a gallery's policy decides: by error rates, or by raw distances (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.policies import CalibratedPolicy, DistancePolicy, Policy
from app.domain.references import Modality
from app.domain.scores import ThresholdBasis
from app.matching.comparisons import EncoderComparisons
from ml.runtime.matching.demand import Demand
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.order import CandidateOrder
from ml.runtime.matching.scoreboard import Basis, Scoreboard
from ml.runtime.matching.scored_part import ScoredPart


class FusedPart(NamedTuple):
    """Candidates who share exactly these modalities with the probe, scored by fused vectors."""

    modalities: frozenset[Modality]
    scored: ScoredPart


PASSING_DB = 1e6
"""Lifts candidates within all distances of a distance policy above the others."""


class PolicyBoard(Scoreboard):
    """Every candidate that shares a modality with the probe.

    Args:
        compared: Comparisons with the correction they are scored by, as it was when they were made:
            decisions are written after the gallery's lock is released.
        policy: What is demanded.
        searched: Whether this is a search (1:N), which divides `fpir` among the candidates.
        gallery_size: Subjects searched, if the comparisons are only a shortlist of them.
        fused: Scores of fused vectors, which then decide on their candidates in place of those of the
            comparisons.

    Attributes:
        single_parts: Scores of the comparisons, one part for each, whatever decides.
    """

    def __init__(
        self,
        compared: Sequence[tuple[EncoderComparisons, FittedNull]],
        policy: Policy,
        *,
        searched: bool,
        gallery_size: int | None = None,
        fused: Sequence[FusedPart] = (),
    ) -> None:
        self.single_parts = tuple(ScoredPart.of(comparisons, fitted) for comparisons, fitted in compared)
        super().__init__(_deciding(self.single_parts, fused))
        self._compared = tuple(compared)
        self._fused = tuple(fused)
        self.comparisons = tuple(comparisons for comparisons, _ in compared)
        self.policy = policy
        self.gallery_size = len(self) if gallery_size is None else gallery_size
        self._searched = searched

    def by_fused(self, fused: Sequence[FusedPart]) -> PolicyBoard:
        """The same candidates, those of these parts decided by fused vectors."""
        return PolicyBoard(
            self._compared,
            self.policy,
            searched=self._searched,
            gallery_size=self.gallery_size,
            fused=fused,
        )

    @property
    def is_fused(self) -> bool:
        """Whether fused vectors decide on anybody."""
        return bool(self._fused)

    @property
    def is_uncorrected(self) -> bool:
        """Whether the gallery is too small to have found how its own sensors score, in any modality used."""
        if isinstance(self.policy, DistancePolicy):
            return False
        return not all(fitted.gallery_null.corrected for _, fitted in self._compared)

    def basis_of_probe(self, classes: tuple[int | None, ...], comparisons: int) -> Basis:
        """What a threshold depends on that follows from the probe alone.

        Args:
            classes: Of the single parts, as if the enrolled side were no weaker.
            comparisons: Among how many the rate is shared in them.
        """
        widest = max(range(len(self._fused)), key=lambda at: len(self._fused[at].modalities), default=None)
        if widest is None:
            return Basis(classes, comparisons)
        fused = tuple(0 if at == widest else None for at in range(len(self._fused)))
        return Basis((*fused, *(None for _ in classes)), comparisons)

    def threshold(self, basis: Basis) -> float | None:
        """In decibans; `None` under a distance policy."""
        if isinstance(self.policy, DistancePolicy):
            return None
        return self.threshold_db(basis, self._demand(self.policy))

    def threshold_basis(self, basis: Basis) -> ThresholdBasis | None:
        """Where the threshold comes from; `None` under a distance policy."""
        if isinstance(self.policy, DistancePolicy):
            return None
        measured = self.is_measured(basis, self._demand(self.policy))
        return ThresholdBasis.MEASURED if measured else ThresholdBasis.EXTRAPOLATED

    @property
    def passes(self) -> NDArray[np.bool_]:
        """Whether the score or the distances suffice; `required` modalities are not looked at here."""
        return self._judged[0]

    @property
    def order(self) -> CandidateOrder:
        """By score above threshold; under a distance policy those who pass come first."""
        return self._judged[1]

    @property
    def matching_margin_db(self) -> float:
        """The margin from which on candidates match."""
        return PASSING_DB / 2 if isinstance(self.policy, DistancePolicy) else 0.0

    @cached_property
    def _judged(self) -> tuple[NDArray[np.bool_], CandidateOrder]:
        if isinstance(self.policy, DistancePolicy):
            passes = self._within_distances(self.policy)
            return passes, CandidateOrder(np.where(passes, PASSING_DB, 0.0) + self.score_db, self.llr_db)
        decisions = self.decide(self._demand(self.policy))
        return decisions.passes, decisions.order

    def _demand(self, policy: CalibratedPolicy) -> Demand:
        return policy.of_search(self.gallery_size) if self._searched else policy.of_claim()

    def _within_distances(self, policy: DistancePolicy) -> NDArray[np.bool_]:
        passing = np.ones(len(self), dtype=bool)
        for comparisons in self.comparisons:
            at = np.searchsorted(self.slots, comparisons.slots)
            passing[at] &= policy.rules[comparisons.modality].passes(comparisons.raw_cosine)
        return passing


def _deciding(single: Sequence[ScoredPart], fused: Sequence[FusedPart]) -> list[ScoredPart]:
    """Parts that decide: fused vectors where there are some, else the modalities' scores."""
    if not fused:
        return list(single)
    taken = np.concatenate([part.scored.slots for part in fused])
    return [*(part.scored for part in fused), *(part.without(taken) for part in single)]
