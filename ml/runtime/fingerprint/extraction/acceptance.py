"""Whether a picture shows a finger at the stated resolution, and enough of it."""

from __future__ import annotations

from typing import Final

import numpy as np

from ml.runtime.fingerprint.errors import (
    DpiImplausibleError,
    FingerprintQualityError,
    NoFingerprintError,
)
from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.enhancement import EnhancedRidges
from ml.runtime.fingerprint.extraction.grids import Mask, repeated
from ml.runtime.fingerprint.minutiae import Minutiae

MM_PER_PIXEL: Final = 25.4 / c.WORKING_DPI


def require_ridges(enhanced: EnhancedRidges, mask: Mask) -> None:
    """Refuse what does not run in lines, such as noise, textures, faces and writing.

    Args:
        enhanced: The filtered picture.
        mask: The foreground in blocks of `BLOCK`, uint8; not empty.

    Raises:
        FingerprintQualityError: Too small an area to tell.
        NoFingerprintError: Ridges do not agree with their neighbors, or are faint.
    """
    if np.count_nonzero(mask) < c.SMALLEST_AREA_BLOCKS:
        raise FingerprintQualityError("too small a part of the picture stands out from its background")
    inside = repeated(mask, c.BLOCK // c.FINE_BLOCK) > 0
    coherence = float(enhanced.field.coherence[inside].mean())
    raw_coherence = float(enhanced.raw.coherence[inside].mean())
    amplitude = float(enhanced.ridges.amplitude[repeated(mask, c.BLOCK) > 0].mean())
    if (
        coherence < c.LEAST_COHERENCE
        or raw_coherence < c.LEAST_RAW_COHERENCE
        or amplitude < c.LEAST_AMPLITUDE
    ):
        raise NoFingerprintError("nothing in the picture runs in parallel lines as ridges do")


def require_plausible_period(period: float) -> None:
    """Refuse a resolution that cannot be right.

    Args:
        period: Typical distance of ridges, pixels at 500 dpi.

    Raises:
        DpiImplausibleError: No finger has it.
    """
    if not c.SHORTEST_PERIOD <= period <= c.LONGEST_PERIOD:
        raise DpiImplausibleError(
            f"at this resolution the ridges lie {period * MM_PER_PIXEL:.2f} mm apart; those of fingers lie"
            f" {c.SHORTEST_PERIOD * MM_PER_PIXEL:.2f} to {c.LONGEST_PERIOD * MM_PER_PIXEL:.2f} mm apart"
        )


def require_minutiae(minutiae: Minutiae, mask: Mask) -> None:
    """Refuse prints with too little to compare, and patterns with more or fewer minutiae than fingers have.

    Args:
        minutiae: All that are good enough.
        mask: The inner foreground in blocks of `BLOCK`, uint8.

    Raises:
        NoFingerprintError: Lines without ends, such as a grating, or hardly anything but ends.
        FingerprintQualityError: Too small an area, or too few minutiae.
    """
    area_mm2 = np.count_nonzero(mask) * (c.BLOCK * MM_PER_PIXEL) ** 2
    fewest, most = c.DENSITY_RANGE
    if not fewest * area_mm2 <= len(minutiae) <= most * area_mm2:
        raise NoFingerprintError("the lines in the picture end and fork in other numbers than ridges do")
    if len(minutiae) < c.FEWEST_MINUTIAE:
        raise FingerprintQualityError(
            f"expected at least {c.FEWEST_MINUTIAE} minutiae, found {len(minutiae)}"
        )
