"""How legible ridges are, and how well a whole impression can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.minutiae import Minutiae

FloatArray = NDArray[np.float32]


def ridge_quality(amplitude: FloatArray, coherence: FloatArray) -> FloatArray:
    """Rate ridges by their strength and by how well neighbors agree in orientation.

    Args:
        amplitude: Of the filtered picture, float32, any shape.
        coherence: Of its orientations, 0 to 1, float32, same shape.

    Returns:
        0 to 1, float32, same shape.
    """
    strength = amplitude / (amplitude + np.float32(c.QUALITY_AMPLITUDE))
    return np.clip(strength * coherence, np.float32(0.0), np.float32(1.0))


def overall_quality(minutiae: Minutiae, legibility: FloatArray) -> float:
    """Rate an impression by the area of its legible ridges and by its minutiae.

    Args:
        minutiae: Those that are kept.
        legibility: Of blocks of `BLOCK`, 0 outside the print; float32, shape (rows, columns).

    Returns:
        0 to 1.
    """
    area = float(legibility.sum())
    worth = float(minutiae.quality.sum())
    return float(np.sqrt(area / (area + c.HALF_QUALITY_BLOCKS) * worth / (worth + c.HALF_QUALITY_MINUTIAE)))
