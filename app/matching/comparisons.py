"""A probe against the templates of many subjects, and what is known of these by slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain.ports import Encoder, Float64Array, IntArray
from app.domain.references import Modality, Template
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions, Comparisons


@dataclass(frozen=True, eq=False)
class EncoderComparisons(Comparisons):
    """Comparisons of one modality, and the encoder version that made them."""

    encoder: Encoder

    @classmethod
    def of(cls, best: BestOfPositions, encoder: Encoder) -> EncoderComparisons:
        """The nearest positions of everybody who was compared."""
        return cls(**vars(best.found()), encoder=encoder)

    @property
    def modality(self) -> Modality:
        return self.encoder.modality


def first_only(comparisons: Sequence[EncoderComparisons]) -> list[EncoderComparisons]:
    """Of one modality, each candidate under the first encoder only; later parts lose those."""
    seen: dict[Modality, IntArray] = {}
    kept = []
    for part in comparisons:  # The default first within a modality.
        before = seen.get(part.modality)
        kept.append(part if before is None else part.only(~np.isin(part.slots, before)))
        seen[part.modality] = part.slots if before is None else np.union1d(before, part.slots)
    return kept


@dataclass
class TemplateTable:
    """What the templates under one key rest on, addressed by slot.

    Attributes:
        unit: What the evidence is counted in.
        slots: Who has a template here.
        amount_range, quality_range: Between which all lie; not narrowed when somebody leaves.
    """

    unit: str
    slots: set[int] = field(default_factory=set)
    amount_range: tuple[float, float] = (np.inf, 0.0)
    quality_range: tuple[float, float] = (1.0, 0.0)
    _amount: Float64Array = field(default_factory=lambda: np.zeros(16))
    _quality: Float64Array = field(default_factory=lambda: np.zeros(16))

    def put_all(self, slots: IntArray, templates: Sequence[Template]) -> None:
        """One template each.

        Raises:
            ValueError: Evidence in another unit.
        """
        evidence = EvidenceArray.of([template.evidence for template in templates])
        if evidence.unit != self.unit:
            raise ValueError(f"expected evidence in {self.unit}, found {evidence.unit}")
        self._make_room(int(slots.max()))
        self._amount[slots], self._quality[slots] = evidence.amount, evidence.quality
        self.slots.update(slots.tolist())
        self.amount_range = _widened(self.amount_range, evidence.amount)
        self.quality_range = _widened(self.quality_range, evidence.quality)

    def among(self, slots: IntArray | None) -> IntArray:
        """Those of these slots, or of all, that have a template here, ascending."""
        wanted = sorted(self.slots) if slots is None else [s for s in slots.tolist() if s in self.slots]
        return np.array(wanted, dtype=np.int64)

    @property
    def corners(self) -> EvidenceArray:
        """The extremes that the evidence of any template here lies between; shape (2, 2)."""
        amount, quality = np.meshgrid(self.amount_range, self.quality_range)
        return EvidenceArray(amount, self.unit, quality)

    def evidence(self, slots: IntArray) -> EvidenceArray:
        """Of the templates in these slots."""
        return EvidenceArray(self._amount[slots], self.unit, self._quality[slots])

    def _make_room(self, slot: int) -> None:
        if slot >= self._amount.size:
            more = max(self._amount.size, slot + 1 - self._amount.size)
            self._amount, self._quality = (np.pad(one, (0, more)) for one in (self._amount, self._quality))


def _widened(known: tuple[float, float], values: Float64Array) -> tuple[float, float]:
    return min(known[0], float(values.min())), max(known[1], float(values.max()))
