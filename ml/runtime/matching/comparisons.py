"""A probe against many subjects: the nearest of several positions, and what that comparison rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import Evidence, EvidenceArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Comparisons:
    """One probe against many subjects under one encoder: parallel arrays.

    Args:
        slots: Numbers of the subjects; int64, ascending, shape (n,).
        cosine: What the calibration reads: of the nearest pair of positions, where details are compared their
            similarity; float64.
        compared: How many comparisons are behind it, int64: each of them may match by chance, so they share
            the false-match rate, or make the evidence class (`Calibration.comparison_edges`). Where vectors
            are compared, they are the pairs of positions; where details are, the pairs of captures.
        probe, enrolled: What either side of the nearest pair rests on.
        beside: Where details are compared, the largest cosine of the vectors; None where these are.
    """

    slots: IntArray
    cosine: FloatArray
    compared: IntArray
    probe: EvidenceArray
    enrolled: EvidenceArray
    beside: FloatArray | None = None

    @property
    def raw_cosine(self) -> FloatArray:
        """Of the vectors, which raw distances are taken from."""
        return self.cosine if self.beside is None else self.beside

    def only(self, kept: BoolArray | IntArray) -> Self:
        """Return some of the rows."""
        return replace(
            self,
            slots=self.slots[kept],
            cosine=self.cosine[kept],
            compared=self.compared[kept],
            probe=self.probe[kept],
            enrolled=self.enrolled[kept],
            beside=None if self.beside is None else self.beside[kept],
        )


class _Offer(NamedTuple):
    """One template of the probe compared with one of each of some subjects."""

    slots: IntArray
    cosine: FloatArray
    probe: Evidence
    enrolled: EvidenceArray
    compared: IntArray
    beside: FloatArray | None


class BestOfPositions:
    """Finds the nearest pair of positions of each subject, of equal ones the first that was offered.

    Args:
        unit: What the evidence is counted in.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._offers: list[_Offer] = []

    def offer(
        self,
        slots: IntArray,
        cosine: NDArray[np.floating],
        probe: Evidence,
        enrolled: EvidenceArray,
        *,
        compared: IntArray | None = None,
        beside: NDArray[np.floating] | None = None,
    ) -> None:
        """Compare one template of the probe with one of each of some subjects.

        Args:
            slots: The subjects, ascending; shape (n,).
            cosine: Of vectors or, where details are compared, their similarity; shape (n,).
            probe: What the probe's template rests on.
            enrolled: What the subjects' templates rest on, shape (n,).
            compared: How many comparisons are behind each cosine, shape (n,); one each by default.
            beside: The vectors' cosines where details are compared, in every offer or in none; shape (n,).

        Raises:
            ValueError: Evidence in another unit.
        """
        if {probe.unit, enrolled.unit} != {self._unit}:
            raise ValueError(f"expected evidence in {self._unit}, found {probe.unit} and {enrolled.unit}")
        numbers = np.ones(slots.size, dtype=np.int64) if compared is None else compared
        vectors = None if beside is None else np.asarray(beside, dtype=np.float64)
        self._offers.append(
            _Offer(slots, np.asarray(cosine, dtype=np.float64), probe, enrolled, numbers, vectors)
        )

    def found(self) -> Comparisons:
        """Return everybody who was compared, by slot."""
        whole = self._in_one_row()
        if len(self._offers) <= 1:
            return whole
        by_slot = np.lexsort((-whole.cosine, whole.slots))  # Stable: of equal ones the first comes first.
        firsts = np.flatnonzero(np.diff(whole.slots[by_slot], prepend=-1))
        compared = np.add.reduceat(whole.compared[by_slot], firsts) if firsts.size else whole.compared
        found = replace(whole.only(by_slot[firsts]), compared=compared)
        if whole.beside is None or not firsts.size:
            return found
        return replace(found, beside=np.maximum.reduceat(whole.beside[by_slot], firsts))

    def _in_one_row(self) -> Comparisons:
        nothing = EvidenceArray(np.zeros(0), self._unit, np.zeros(0))
        offers = self._offers or [
            _Offer(_NOBODY, np.zeros(0), Evidence(0.0, self._unit, 0.0), nothing, _NOBODY, None)
        ]
        slots = np.concatenate([offer.slots for offer in offers])
        sizes = [offer.slots.size for offer in offers]
        shown = EvidenceArray.of([offer.probe for offer in offers])
        beside = [offer.beside for offer in offers if offer.beside is not None]
        return Comparisons(
            slots=slots,
            cosine=np.concatenate([offer.cosine for offer in offers]),
            compared=np.concatenate([offer.compared for offer in offers]),
            probe=shown[np.repeat(np.arange(len(offers)), sizes)],
            enrolled=EvidenceArray.joined([offer.enrolled for offer in offers]),
            beside=np.concatenate(beside) if beside else None,
        )


def llr_where_compared(
    calibration: Calibration,
    cosine: ArrayLike,
    probe: Evidence | EvidenceArray,
    enrolled: Evidence | EvidenceArray,
    compared: ArrayLike = 1,
) -> tuple[FloatArray, IntArray]:
    """Return LLR in dB and evidence class of comparisons some of which could not be made.

    Args:
        calibration: Of the encoder.
        cosine: NaN where a side is absent; any shape.
        probe, enrolled: What either side rests on; all broadcast.
        compared: How many comparisons of two captures are behind each.

    Returns:
        LLR, NaN where nothing was compared, and the class of every comparison; both of the shape of `cosine`.
    """
    cosines = np.asarray(cosine, dtype=np.float64)
    made = np.isfinite(cosines)
    scores = calibration.compare(np.where(made, cosines, 0.0), probe, enrolled, compared)
    return np.where(made, scores.llr_db, np.nan), scores.classes
