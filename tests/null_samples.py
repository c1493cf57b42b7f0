"""A gallery's null sample without a gallery: templates are read from what it was given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.domain.arrays import IntArray
from app.domain.ports.encoders import Encoder
from app.domain.references import Vector
from app.matching.null_samples import NullSample, SampledSubject


class GivenSample(NullSample):
    """Remembers the subjects that it is given, in place of an index."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.calibration, encoder.vector_size, self._read)
        self._given: dict[int, SampledSubject] = {}

    def put(self, slot: int, subject: SampledSubject) -> None:
        self._given[slot] = subject
        super().put(slot, subject)

    def fill(self, subjects: Mapping[int, SampledSubject]) -> None:
        self._given.update(subjects)
        super().fill(subjects)

    def _read(self, position: str, slots: IntArray) -> Vector:
        vectors = np.full((slots.size, self._references.vectors.shape[1]), np.nan, dtype=np.float32)
        for row, slot in enumerate(slots.tolist()):
            if position in self._given[slot].templates:
                vectors[row] = self._given[slot].templates[position].vector
        return vectors
