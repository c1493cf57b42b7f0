"""A capture as a vector, with the evidence behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class Encoding:
    """One capture as an encoder sees it. Biometric data: never logged, so the vector stays out of `repr`.

    Args:
        vector: Unit norm, float32, shape (vector_size,).
        amount: How much of the capture was accepted, in `unit`.
        unit: Of the amount, such as `ml.runtime.preparation.SECONDS`.
        quality: 0 (useless) to 1 (clean).
        reasons: Why parts of the capture were not accepted.
        facts: What else the modality knows of the capture, such as `ml.runtime.ecg.preparation.EcgFacts`.
    """

    vector: NDArray[np.float32]
    amount: float
    unit: str
    quality: float
    reasons: tuple[str, ...] = ()
    facts: object | None = None

    def __repr__(self) -> str:
        evidence = f"amount={self.amount:g} {self.unit}, quality={self.quality:.2f}"
        return f"Encoding(vector=<{self.vector.size}>, {evidence})"
