"""What a comparison rests on: how much each side shows and how good it is, and what two sides amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SECONDS: Final = "seconds"
IMAGES: Final = "images"
_MOST = 1e300
"""More is as good as infinite: the sum of two amounts must be finite as well."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One side of a comparison.

    Args:
        amount: How much was accepted, in `unit`; finite and not negative.
        unit: What is counted: seconds of ECG, images.
        quality: 0 to 1.

    Raises:
        ValueError: An amount or a quality out of range, or not a number.
    """

    amount: float
    unit: str
    quality: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.amount <= _MOST and 0.0 <= self.quality <= 1.0):
            raise _out_of_range(self.amount, self.quality)

    @property
    def seconds(self) -> float | None:
        """The amount if it is counted in seconds; images have none."""
        return self.amount if self.unit == SECONDS else None


@dataclass(frozen=True, eq=False)
class EvidenceArray:
    """One side of many comparisons, as parallel arrays in one unit.

    Args:
        amount: Finite and not negative; float64, any shape.
        unit: What is counted.
        quality: 0 to 1; float64, same shape.

    Raises:
        ValueError: Shapes that differ, or a value out of range.
    """

    amount: FloatArray
    unit: str
    quality: FloatArray

    def __post_init__(self) -> None:
        if self.amount.shape != self.quality.shape:
            raise ValueError(f"amounts of shape {self.amount.shape}, qualities of {self.quality.shape}")
        if not self.amount.size:
            return
        least, most = float(self.amount.min()), float(self.amount.max())  # NaN if there is one.
        worst, best = float(self.quality.min()), float(self.quality.max())
        if not (least >= 0.0 and most <= _MOST and worst >= 0.0 and best <= 1.0):
            raise _out_of_range((least, most), (worst, best))

    @classmethod
    def of(cls, many: Sequence[Evidence]) -> Self:
        """Gather single ones, at least one.

        Raises:
            ValueError: Several units, or nothing to gather.
        """
        units = {one.unit for one in many}
        if len(units) != 1:
            raise ValueError(f"expected evidence in one unit, found {sorted(units)}")
        amount = np.array([one.amount for one in many], dtype=np.float64)
        return cls(amount, units.pop(), np.array([one.quality for one in many], dtype=np.float64))

    @classmethod
    def joined(cls, parts: Sequence[EvidenceArray]) -> EvidenceArray:
        """Put several one after the other, at least one.

        Raises:
            ValueError: Several units, or nothing to join.
        """
        (unit,) = {part.unit for part in parts}
        if len(parts) == 1:
            return parts[0]
        amount = np.concatenate([part.amount for part in parts])
        return _of_valid(amount, unit, np.concatenate([part.quality for part in parts]))

    def __getitem__(self, key: Any) -> EvidenceArray:
        """Return some of the entries, or the same with further axes, as numpy would."""
        return _of_valid(np.asarray(self.amount[key]), self.unit, np.asarray(self.quality[key]))

    def pooled(self) -> Evidence:
        """Return the evidence of several captures of one side that are pooled into one template.

        Amounts add up; the quality is their mean weighted by amount, a plain mean where all amounts are 0.
        """
        total = float(self.amount.sum())
        weights = self.amount if total > 0.0 else np.ones_like(self.amount)
        return Evidence(total, self.unit, float(np.average(self.quality, weights=weights)))


def _of_valid(amount: FloatArray, unit: str, quality: FloatArray) -> EvidenceArray:
    """Taken from what was checked: looking again at every candidate takes a tenth of comparing them."""
    found = object.__new__(EvidenceArray)
    for name, value in (("amount", amount), ("unit", unit), ("quality", quality)):
        object.__setattr__(found, name, value)
    return found


def pair(one: Evidence | EvidenceArray, other: Evidence | EvidenceArray) -> EvidenceArray:
    """Return what comparisons rest on: the weaker side's amount, and the quality of both.

    The quality is weighted by amount; where both amounts are 0 it is the plain mean. A comparison of two
    sides is the same in either order.

    Args:
        one: One side.
        other: The other; they broadcast.

    Raises:
        ValueError: Sides that count in different units.
    """
    if one.unit != other.unit:
        raise ValueError(f"{one.unit} and {other.unit} do not compare")
    total = np.asarray(np.add(one.amount, other.amount), dtype=np.float64)
    weighted = np.multiply(one.quality, one.amount) + np.multiply(other.quality, other.amount)
    if total.size and total.min() > 0.0:
        quality = weighted / total
    else:
        empty = total <= 0.0
        plain = 0.5 * np.add(one.quality, other.quality)
        quality = np.where(empty, plain, weighted / np.where(empty, 1.0, total))
    amount = np.minimum(one.amount, other.amount)
    return _of_valid(np.asarray(amount, dtype=np.float64), one.unit, np.asarray(quality, dtype=np.float64))


def _out_of_range(amount: object, quality: object) -> ValueError:
    return ValueError(
        f"evidence is finite, with an amount ≥ 0 and a quality within [0, 1]; found {amount} and {quality}"
    )
