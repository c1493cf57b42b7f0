"""A capture as a vector, with the evidence behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.evidence import Evidence


@dataclass(frozen=True, eq=False, repr=False)
class Encoding:
    """One capture as an encoder sees it. Biometric data: never logged, so the vector stays out of `repr`.

    Args:
        vector: Unit norm, float32, shape (vector_size,).
        evidence: How much of the capture was accepted, and how clean that is.
        reasons: Why parts of the capture were not accepted.
        facts: What else the modality knows of the capture, such as `ml.runtime.ecg.preparation.EcgFacts`.
        local: Unit vectors of parts of the capture, for shortlists; float32, shape (m, l). None if the
            encoder has none.
        detail: What the encoder's `ml.runtime.details.DetailComparer` opens and compares. None if templates
            are compared by their vectors.
    """

    vector: NDArray[np.float32]
    evidence: Evidence
    reasons: tuple[str, ...] = ()
    facts: object | None = None
    local: NDArray[np.float32] | None = None
    detail: bytes | None = None

    def __repr__(self) -> str:
        return f"Encoding(vector=<{self.vector.size}>, {self.evidence})"
