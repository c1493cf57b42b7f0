"""One modality under one encoder version: comparisons with their scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.runtime.calibration.llr import LlrScores
from ml.runtime.calibration.nulls import Null
from ml.runtime.matching.comparisons import Comparisons
from ml.runtime.matching.fitted_null import FittedNull

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScoredPart:
    """Parallel arrays over the subjects compared, shape (n,).

    Args:
        slots: Numbers of the subjects; int64, ascending.
        shared: Among how many comparisons the false-match rate is divided, int64.
        classes: Evidence classes, int64.
        llr_db: Corrected, unsoftened; for the order. Float64.
        score_db: Softened; for the fused score. Float64.
        fitted: The correction they were scored with.
    """

    slots: IntArray
    shared: IntArray
    classes: IntArray
    llr_db: FloatArray
    score_db: FloatArray
    fitted: FittedNull

    @classmethod
    def of(cls, comparisons: Comparisons, fitted: FittedNull) -> Self:
        """Score comparisons by the encoder's calibration and the gallery's own correction."""
        calibration = fitted.calibration
        scores = calibration.compare(
            comparisons.cosine, comparisons.probe, comparisons.enrolled, comparisons.compared
        )
        return cls.corrected(comparisons.slots, calibration.shared(comparisons.compared), scores, fitted)

    @classmethod
    def corrected(cls, slots: IntArray, shared: IntArray, scores: LlrScores, fitted: FittedNull) -> Self:
        """Correct and soften scores that are not corrected yet."""
        llr_db = fitted.gallery_null.apply(scores.llr_db)
        score_db = fitted.calibration.soften_db(llr_db)
        return cls(slots, shared, scores.classes, llr_db, score_db, fitted)

    @classmethod
    def of_matrix(cls, llr_db: FloatArray, classes: IntArray, fitted: FittedNull) -> Self:
        """Score many single comparisons at once; the slot of each is its place in the flattened matrix.

        Args:
            llr_db: Not corrected; NaN where nothing was compared, which is left out. Any shape.
            classes: Evidence classes, same shape.
            fitted: The correction.
        """
        slots = np.flatnonzero(np.isfinite(llr_db))
        scores = LlrScores(llr_db.ravel()[slots], classes.ravel()[slots])
        return cls.corrected(slots, np.ones(slots.size, dtype=np.int64), scores, fitted)

    def without(self, slots: IntArray) -> Self:
        """Leave out some subjects."""
        kept = ~np.isin(self.slots, slots)
        rows = {
            name: getattr(self, name)[kept] for name in ("slots", "shared", "classes", "llr_db", "score_db")
        }
        return replace(self, **rows)

    @property
    def ceiling_db(self) -> float:
        """The score that no evidence in this modality exceeds."""
        return self.fitted.calibration.ceiling_db

    def null(self, evidence_class: int) -> Null:
        """Return the null of an evidence class, corrected."""
        return self.fitted.null(evidence_class)

    def row_of(self, slot: int) -> int | None:
        """Return where a slot stands in the arrays; None if it was not compared."""
        row = int(np.searchsorted(self.slots, slot))
        return row if row < self.slots.size and self.slots[row] == slot else None
