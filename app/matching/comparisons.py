"""A probe against many templates: what is known of them by slot, and what comes of comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.domain.ports import Encoder, Float64Array, IntArray
from app.domain.references import Modality, Template, Vector
from app.domain.scores import pair_quality


@dataclass(frozen=True)
class Comparisons:
    """One modality's comparisons under one encoder version: parallel arrays over slots.

    Attributes:
        slots: int64, ascending, shape (n,).
        cosine: float64; the largest over comparable positions.
        compared: Over how many pairs of positions it is the largest, int64: each of them may match by
            chance, so they share the false-match rate.
        seconds: Of the shorter side, float64.
        quality: Of both sides, float64.
    """

    modality: Modality
    encoder: Encoder
    slots: IntArray
    cosine: Float64Array
    compared: IntArray
    seconds: Float64Array
    quality: Float64Array

    def only(self, kept: NDArray[np.bool_]) -> Comparisons:
        """These rows; shape (n,)."""
        return replace(
            self,
            slots=self.slots[kept],
            cosine=self.cosine[kept],
            compared=self.compared[kept],
            seconds=self.seconds[kept],
            quality=self.quality[kept],
        )


def first_only(comparisons: Sequence[Comparisons]) -> list[Comparisons]:
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
    """Seconds and quality of the templates under one key, addressed by slot.

    Attributes:
        slots: Who has a template here.
        seconds_range, quality_range: Between which all lie; not narrowed when somebody leaves.
    """

    seconds: Float64Array = field(default_factory=lambda: np.zeros(16))
    quality: Float64Array = field(default_factory=lambda: np.zeros(16))
    slots: set[int] = field(default_factory=set)
    seconds_range: tuple[float, float] = (np.inf, 0.0)
    quality_range: tuple[float, float] = (1.0, 0.0)

    def put_all(self, slots: IntArray, templates: Sequence[Template]) -> None:
        self._make_room(int(slots.max()))
        self.seconds[slots] = [template.seconds for template in templates]
        self.quality[slots] = [template.quality for template in templates]
        self.slots.update(slots.tolist())
        self.seconds_range = _widened(self.seconds_range, self.seconds[slots])
        self.quality_range = _widened(self.quality_range, self.quality[slots])

    def among(self, slots: IntArray | None) -> IntArray:
        """Those of these slots, or of all, that have a template here, ascending."""
        wanted = sorted(self.slots) if slots is None else [s for s in slots.tolist() if s in self.slots]
        return np.array(wanted, dtype=np.int64)

    def _make_room(self, slot: int) -> None:
        if slot >= self.seconds.size:
            size = max(2 * self.seconds.size, slot + 1)
            self.seconds = np.concatenate([self.seconds, np.zeros(size - self.seconds.size)])
            self.quality = np.concatenate([self.quality, np.zeros(size - self.quality.size)])


def _widened(known: tuple[float, float], values: Float64Array) -> tuple[float, float]:
    return min(known[0], float(values.min())), max(known[1], float(values.max()))


class BestBySlot:
    """The largest cosine per slot over several positions, with what belongs to it."""

    def __init__(self, slots: int) -> None:
        self.cosine: Float64Array = np.full(slots, -np.inf)
        self.compared: IntArray = np.zeros(slots, dtype=np.int64)
        self.seconds: Float64Array = np.zeros(slots)
        self.quality: Float64Array = np.zeros(slots)

    def offer(
        self, slots: IntArray, cosine: Vector, seconds: Float64Array, probe: Template, table: TemplateTable
    ) -> None:
        self.compared[slots] += 1
        better = cosine > self.cosine[slots]
        slots = slots[better]
        self.cosine[slots] = cosine[better]
        self.seconds[slots] = seconds[better]
        self.quality[slots] = pair_quality(
            probe.quality, probe.seconds, table.quality[slots], table.seconds[slots]
        )

    def slots(self) -> IntArray:
        """Those that were compared at all, ascending."""
        return np.flatnonzero(self.compared)
