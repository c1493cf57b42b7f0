"""For each subject the enrolled vector that resembles a probe's most, of several positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from app.domain.arrays import IntArray
from app.domain.references import Template, Vector
from app.matching.comparisons import EnrolledTemplates

EnrolledAt = Callable[[str], Iterable[EnrolledTemplates]]
"""What a probe template of a position compares with."""


@dataclass(frozen=True, eq=False)
class NearestVectors:
    """Pairs of vectors of one encoder, as parallel arrays.

    Attributes:
        slots: Of the subjects, ascending; shape (n,).
        probe, enrolled: float32, shape (n, d).
        quality: Of probe and enrolled side; shape (2, n).
        compared: Of how many pairs of positions each is the nearest; shape (n,).
    """

    slots: IntArray
    probe: Vector
    enrolled: Vector
    quality: Vector
    compared: IntArray

    def at(self, slots: IntArray) -> NearestVectors:
        """Return those of these slots, all of which are here."""
        rows = np.searchsorted(self.slots, slots)
        return NearestVectors(
            slots, self.probe[rows], self.enrolled[rows], self.quality[:, rows], self.compared[rows]
        )

    def turned_back(self, matrix: Vector) -> NearestVectors:
        """Undo the gallery's rotation, which multiplied every vector by an orthonormal matrix."""
        return NearestVectors(
            self.slots, self.probe @ matrix, self.enrolled @ matrix, self.quality, self.compared
        )

    @classmethod
    def of(cls, templates: Mapping[str, Template], enrolled_at: EnrolledAt, size: int) -> NearestVectors:
        """Find the nearest pair of positions of everybody.

        Args:
            templates: Of the probe, by position.
            enrolled_at: What each compares with.
            size: Length of the vectors.
        """
        offers = [(t, enrolled) for position, t in templates.items() for enrolled in enrolled_at(position)]
        slots = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(e.slots for _, e in offers)]))
        n = slots.size
        found = cls(
            slots,
            np.zeros((n, size), np.float32),
            np.zeros((n, size), np.float32),
            np.zeros((2, n), np.float32),
            np.zeros(n, dtype=np.int64),
        )
        nearest = np.full(n, -np.inf)
        for template, enrolled in offers:
            found._take(template, enrolled, nearest)
        return found

    def _take(self, template: Template, enrolled: EnrolledTemplates, nearest: Vector) -> None:
        """Keep what is nearer than what was there."""
        cosine = enrolled.vectors @ template.vector
        rows = np.searchsorted(self.slots, enrolled.slots)
        self.compared[rows] += 1
        nearer = cosine > nearest[rows]
        rows, kept = rows[nearer], np.flatnonzero(nearer)
        nearest[rows] = cosine[kept]
        self.probe[rows] = template.vector
        self.enrolled[rows] = enrolled.vectors[kept]
        self.quality[0, rows] = template.evidence.quality
        self.quality[1, rows] = enrolled.evidence.quality[kept]
