"""From a gray picture to the minutiae of a fingerprint, step by step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.acceptance import (
    require_minutiae,
    require_plausible_period,
    require_ridges,
)
from ml.runtime.fingerprint.extraction.enhancement import EnhancedRidges, enhance
from ml.runtime.fingerprint.extraction.grids import Mask, block_means, repeated
from ml.runtime.fingerprint.extraction.impression import Impression
from ml.runtime.fingerprint.extraction.minutiae import best, described, good, without_opposite_pairs
from ml.runtime.fingerprint.extraction.orientation import halved
from ml.runtime.fingerprint.extraction.quality import overall_quality, ridge_quality
from ml.runtime.fingerprint.extraction.region import PrintRegion, print_region
from ml.runtime.fingerprint.extraction.residues import phase_residues
from ml.runtime.fingerprint.extraction.resolution import at_working_resolution, working_size
from ml.runtime.fingerprint.extraction.segmentation import inner
from ml.runtime.fingerprint.minutiae import Minutiae


def extract(gray: NDArray[np.uint8], dpi: float) -> Impression:
    """Find the minutiae of a fingerprint.

    Inverting the picture (light ridges instead of dark ones) gives the same minutiae.

    Args:
        gray: uint8, shape (height, width).
        dpi: Its resolution, dots per inch; positive.

    Raises:
        NoFingerprintError: The picture shows something else.
        DpiImplausibleError: A finger, but not at this resolution.
        FingerprintQualityError: A finger, but too little of it.
    """
    region, enhanced = _ridges(gray, dpi)
    require_plausible_period(enhanced.period)
    inside = inner(region.mask)
    minutiae = _minutiae(enhanced, inside)
    require_minutiae(minutiae, inside)
    return _impression(best(minutiae), region, enhanced, working_size(gray.shape[1], gray.shape[0], dpi))


def extract_anyway(gray: NDArray[np.uint8], dpi: float) -> Impression:
    """As `extract`, also from ridges that it refuses: too few minutiae, or an implausible distance.

    Raises:
        FingerprintError: No ridges.
    """
    region, enhanced = _ridges(gray, dpi)
    minutiae = _minutiae(enhanced, inner(region.mask))
    return _impression(best(minutiae), region, enhanced, working_size(gray.shape[1], gray.shape[0], dpi))


def _ridges(gray: NDArray[np.uint8], dpi: float) -> tuple[PrintRegion, EnhancedRidges]:
    region = print_region(at_working_resolution(gray, dpi))
    enhanced = enhance(region.contrast, region.mask)
    require_ridges(enhanced, region.mask)
    return region, enhanced


def _minutiae(enhanced: EnhancedRidges, inside: Mask) -> Minutiae:
    residues = phase_residues(enhanced.ridges, repeated(inside, c.BLOCK // c.FINE_BLOCK))
    return good(without_opposite_pairs(described(residues, enhanced.ridges, enhanced.field)))


def _impression(
    minutiae: Minutiae, region: PrintRegion, enhanced: EnhancedRidges, size_px: tuple[int, int]
) -> Impression:
    """Say where all this lies in the picture."""
    field = halved(enhanced.field)
    legibility = ridge_quality(block_means(enhanced.ridges.amplitude, c.BLOCK), field.coherence)
    legibility = legibility * region.mask
    return Impression(
        minutiae=Minutiae(minutiae.xy + region.corner_xy, minutiae.direction, minutiae.quality),
        mask=region.in_picture(region.mask) > 0,
        ridge_angle=region.in_picture(field.ridge_angle),
        quality_map=region.in_picture(legibility),
        ridge_period_px=enhanced.period,
        quality=overall_quality(legibility, region.mask),
        size_px=size_px,
    )
