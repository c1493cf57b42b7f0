"""Scores, nulls and thresholds in decibans: the public surface of calibration (numpy only).

cosine ──LlrMap──▶ LLR ──GalleryNull.apply──▶ corrected LLR ──soften──▶ score ──Null──▶ threshold, FMR
"""

from collections.abc import Sequence

from ml.runtime.calibration.llr import Calibration, LlrMap
from ml.runtime.calibration.nulls import (
    BIN_DB,
    EVIDENCE_CLASSES,
    LlrHistogram,
    Null,
    evidence_class,
    evidence_classes,
)
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null
from ml.training.calibration_fit import CohortScores, fit_calibration

__all__ = [
    "BIN_DB",
    "EVIDENCE_CLASSES",
    "Calibration",
    "CohortScores",
    "GalleryNull",
    "LlrHistogram",
    "LlrMap",
    "Null",
    "evidence_class",
    "evidence_classes",
    "fit_calibration",
    "fit_gallery_null",
    "sum_of_nulls",
]


def sum_of_nulls(nulls: Sequence[Null]) -> Null:
    """Give the null of the sum of independent scores, one per modality used.

    Raises:
        ValueError: No nulls.
    """
    if not nulls:
        raise ValueError("a sum of scores needs at least one part")
    total = nulls[0]
    for null in nulls[1:]:
        total = total.convolve(null)
    return total
