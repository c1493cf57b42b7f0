"""A gallery's correction at one revision, with the nulls that follow from it."""

from __future__ import annotations

from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import Null
from ml.runtime.matching.gallery_null import GalleryNull


class FittedNull:
    """Stays what it is while the gallery goes on.

    Args:
        calibration: Of the encoder.
        gallery_null: What the gallery found about itself.
    """

    def __init__(self, calibration: Calibration, gallery_null: GalleryNull) -> None:
        self.calibration = calibration
        self.gallery_null = gallery_null
        self._nulls: dict[int, Null] = {}

    def null(self, evidence_class: int) -> Null:
        """Return the null of corrected, softened scores. Threads may compute the same twice."""
        found = self._nulls.get(evidence_class)
        if found is None:
            found = self.gallery_null.null(self.calibration, evidence_class)
            self._nulls[evidence_class] = found
        return found
