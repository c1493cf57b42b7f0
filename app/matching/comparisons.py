"""A probe against the templates of many subjects, and what is known of these by slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain.arrays import Float64Array, IntArray
from app.domain.details import Parts
from app.domain.ports.encoders import Encoder
from app.domain.references import Modality, Template, Vector
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions, Comparisons


@dataclass(frozen=True, eq=False)
class EncoderComparisons(Comparisons):
    """Comparisons of one modality, and the encoder version that made them."""

    encoder: Encoder = field(kw_only=True)

    @classmethod
    def of(cls, best: BestOfPositions, encoder: Encoder) -> EncoderComparisons:
        """The nearest positions of everybody who was compared."""
        return cls(**vars(best.found()), encoder=encoder)

    @property
    def modality(self) -> Modality:
        return self.encoder.modality


@dataclass(frozen=True, eq=False)
class EnrolledTemplates:
    """Templates of some subjects under one key, as parallel sequences.

    Attributes:
        slots: Of the subjects, ascending; shape (n,).
        vectors: Shape (n, d).
        parts: One each where the encoder compares details, else empty.
    """

    slots: IntArray
    vectors: Vector
    evidence: EvidenceArray
    parts: Sequence[Parts] = ()


def offer(best: BestOfPositions, encoder: Encoder, probe: Template, enrolled: EnrolledTemplates) -> None:
    """Compare one template of a probe with one of each of some subjects, by vectors or by details."""
    cosine = enrolled.vectors @ probe.vector
    if encoder.comparer is None:
        best.offer(enrolled.slots, cosine, probe.evidence, enrolled.evidence)
        return
    assert probe.parts is not None, "an encoder that compares details gives one with every capture"
    similarity = encoder.comparer.compare(probe.parts.opened, [parts.opened for parts in enrolled.parts])
    numbers = [len(probe.parts.details) * len(parts.details) for parts in enrolled.parts]
    best.offer(
        enrolled.slots,
        similarity,
        probe.evidence,
        enrolled.evidence,
        compared=np.array(numbers, dtype=np.int64),
        beside=cosine,
    )


def first_only(comparisons: Sequence[EncoderComparisons]) -> list[EncoderComparisons]:
    """Of one modality, each candidate under the first encoder only; later parts lose those."""
    seen: dict[Modality, IntArray] = {}
    kept = []
    for part in comparisons:  # The default first within a modality.
        before = seen.get(part.modality)
        kept.append(part if before is None else part.only(~np.isin(part.slots, before)))
        seen[part.modality] = part.slots if before is None else np.union1d(before, part.slots)
    return kept


class TemplateTable:
    """What the templates under one key rest on, addressed by slot.

    Args:
        unit: What the evidence is counted in.

    Attributes:
        slots: Who has a template here.
        parts: By slot, where details are compared.
    """

    def __init__(self, unit: str) -> None:
        self.slots: set[int] = set()
        self.parts: dict[int, Parts] = {}
        self._evidence = EvidenceArray(np.zeros(16), unit, np.zeros(16))
        self._amounts = (np.inf, 0.0)  # Between which all lie; not narrowed when somebody leaves.
        self._qualities = (1.0, 0.0)

    @property
    def corners(self) -> EvidenceArray:
        """The extremes between which the evidence of every template here lies; shape (2, 2)."""
        amount, quality = np.meshgrid(self._amounts, self._qualities)
        return EvidenceArray(amount, self._evidence.unit, quality)

    def put_all(self, slots: IntArray, brought: EvidenceArray) -> None:
        """What one template of each of these subjects rests on; shape (n,).

        Raises:
            ValueError: Evidence in another unit.
        """
        if brought.unit != self._evidence.unit:
            raise ValueError(f"expected evidence in {self._evidence.unit}, found {brought.unit}")
        self._make_room(int(slots.max()))
        self._evidence.amount[slots], self._evidence.quality[slots] = brought.amount, brought.quality
        self.slots.update(slots.tolist())
        self._amounts = _widened(self._amounts, brought.amount)
        self._qualities = _widened(self._qualities, brought.quality)

    def discard(self, slot: int) -> None:
        """Somebody who left."""
        self.slots.discard(slot)
        self.parts.pop(slot, None)

    def among(self, slots: IntArray | None) -> IntArray:
        """Those of these slots, or of all, that have a template here, ascending."""
        wanted = sorted(self.slots) if slots is None else [s for s in slots.tolist() if s in self.slots]
        return np.array(wanted, dtype=np.int64)

    def evidence(self, slots: IntArray) -> EvidenceArray:
        """Of the templates in these slots."""
        return self._evidence[slots]

    def _make_room(self, slot: int) -> None:
        size = self._evidence.amount.size
        if slot >= size:
            more = np.zeros(max(size, slot + 1 - size))
            self._evidence = EvidenceArray.joined(
                [self._evidence, EvidenceArray(more, self._evidence.unit, more)]
            )


def _widened(known: tuple[float, float], values: Float64Array) -> tuple[float, float]:
    return min(known[0], float(values.min())), max(known[1], float(values.max()))
