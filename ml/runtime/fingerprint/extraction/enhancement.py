"""Ridges made legible: orientations and frequencies are measured, and the picture is filtered along them.

A filtered picture shows orientations better than the raw one. So a first pass, at half size, and a second one
only serve to measure the orientations again; the third gives the ridges.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.frequency import ridge_frequency
from ml.runtime.fingerprint.extraction.gabor import FilteredRidges, filter_ridges
from ml.runtime.fingerprint.extraction.grids import FloatImage, Mask, block_means, enlarged, repeated
from ml.runtime.fingerprint.extraction.orientation import (
    OrientationField,
    enhanced_orientations,
    halved,
    raw_orientations,
)


@dataclass(frozen=True, eq=False)
class EnhancedRidges:
    """The ridges of a print and what they were filtered with.

    Args:
        ridges: The filtered picture.
        field: Orientations on the fine grid.
        raw: Orientations of the picture before it was filtered, on the fine grid.
        period: Typical distance of ridges, pixels.
    """

    ridges: FilteredRidges
    field: OrientationField
    raw: OrientationField
    period: float


def enhance(contrast: FloatImage, mask: Mask) -> EnhancedRidges:
    """Filter a print along its ridges.

    Args:
        contrast: Equalized picture, float32, both sides multiples of `PERIOD_STEP`.
        mask: The foreground in blocks of `BLOCK`, uint8; not empty.
    """
    fine_mask = repeated(mask, c.BLOCK // c.FINE_BLOCK)
    raw = raw_orientations(contrast)
    frequency = ridge_frequency(contrast, raw.ridge_angle, fine_mask)
    fine = enlarged(frequency.smooth, c.PERIOD_STEP // c.FINE_BLOCK)
    rough = filter_ridges(
        block_means(contrast, 2), halved(raw).ridge_angle, block_means(fine, 2), mask, pixel=2
    )
    field = enhanced_orientations(rough.even, rough.amplitude, pixel=2)
    ridges = filter_ridges(contrast, field.ridge_angle, fine, fine_mask, pixel=1)
    field = enhanced_orientations(ridges.even, ridges.amplitude, pixel=1)
    ridges = filter_ridges(contrast, field.ridge_angle, fine, fine_mask, pixel=1)
    return EnhancedRidges(ridges, field, raw, frequency.period)
