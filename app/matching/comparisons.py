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


@dataclass
class TemplateTable:
    """What the templates under one key rest on, addressed by slot.

    Attributes:
        unit: What the evidence is counted in.
    """

    unit: str
    slots: set[int] = field(default_factory=set)
    _amount: Float64Array = field(default_factory=lambda: np.zeros(16))
    _quality: Float64Array = field(default_factory=lambda: np.zeros(16))

    def put(self, slot: int, template: Template) -> None:
        self.put_all(np.array([slot], dtype=np.int64), [template])

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

    def evidence(self, slots: IntArray) -> EvidenceArray:
        """Of the templates in these slots."""
        return EvidenceArray(self._amount[slots], self.unit, self._quality[slots])

    def _make_room(self, slot: int) -> None:
        if slot >= self._amount.size:
            more = max(self._amount.size, slot + 1 - self._amount.size)
            self._amount, self._quality = (np.pad(one, (0, more)) for one in (self._amount, self._quality))
