"""A probe against many subjects: the nearest of several positions, and what that comparison rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import Evidence, EvidenceArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Comparisons:
    """One probe against many subjects under one encoder: parallel arrays.

    Args:
        slots: Numbers of the subjects; int64, ascending, shape (n,).
        cosine: Of the nearest pair of positions; float64.
        compared: Over how many pairs of positions it is the largest, int64: each of them may match by chance,
            so they share the false-match rate.
        probe, enrolled: What either side of the nearest pair rests on.
    """

    slots: IntArray
    cosine: FloatArray
    compared: IntArray
    probe: EvidenceArray
    enrolled: EvidenceArray

    def only(self, kept: BoolArray | IntArray) -> Self:
        """Give some of the rows."""
        return replace(
            self,
            slots=self.slots[kept],
            cosine=self.cosine[kept],
            compared=self.compared[kept],
            probe=self.probe[kept],
            enrolled=self.enrolled[kept],
        )


class BestOfPositions:
    """Keeps the nearest pair of positions of each subject while the pairs are offered one after another.

    Of equal pairs the first is kept.

    Args:
        size: Subjects are numbered below it.
        unit: What the evidence is counted in.
    """

    def __init__(self, size: int, unit: str) -> None:
        self._unit = unit
        self._compared: IntArray = np.zeros(size, dtype=np.int64)
        self._cosine: FloatArray = np.full(size, -np.inf)
        self._amounts: FloatArray = np.zeros((2, size))
        self._qualities: FloatArray = np.zeros((2, size))

    def offer(
        self, slots: IntArray, cosine: NDArray[np.floating], probe: Evidence, enrolled: EvidenceArray
    ) -> None:
        """Compare one template of the probe with one of each of some subjects.

        Args:
            slots: The subjects, each at most once; shape (n,).
            cosine: Shape (n,).
            probe: What the probe's template rests on.
            enrolled: What the subjects' templates rest on, shape (n,).

        Raises:
            ValueError: Evidence in another unit.
        """
        if {probe.unit, enrolled.unit} != {self._unit}:
            raise ValueError(f"expected evidence in {self._unit}, found {probe.unit} and {enrolled.unit}")
        self._compared[slots] += 1
        better = cosine > self._cosine[slots]
        nearer = slots[better]
        self._cosine[nearer] = cosine[better]
        for kept, own, others in (
            (self._amounts, probe.amount, enrolled.amount),
            (self._qualities, probe.quality, enrolled.quality),
        ):
            kept[0, nearer], kept[1, nearer] = own, others[better]

    def found(self) -> Comparisons:
        """Give those that were compared at all."""
        slots = np.flatnonzero(self._compared)
        probe, enrolled = (
            EvidenceArray(self._amounts[side, slots], self._unit, self._qualities[side, slots])
            for side in (0, 1)
        )
        return Comparisons(slots, self._cosine[slots], self._compared[slots], probe, enrolled)


def llr_where_compared(
    calibration: Calibration,
    cosine: ArrayLike,
    probe: Evidence | EvidenceArray,
    enrolled: Evidence | EvidenceArray,
) -> tuple[FloatArray, IntArray]:
    """Give LLR in dB and evidence class of comparisons some of which could not be made.

    Args:
        calibration: Of the encoder.
        cosine: NaN where a side is absent; any shape.
        probe, enrolled: What either side rests on; all broadcast.

    Returns:
        LLR, NaN where nothing was compared, and the class of every comparison; both of the shape of `cosine`.
    """
    cosines = np.asarray(cosine, dtype=np.float64)
    made = np.isfinite(cosines)
    scores = calibration.compare(np.where(made, cosines, 0.0), probe, enrolled)
    return np.where(made, scores.llr_db, np.nan), scores.classes
