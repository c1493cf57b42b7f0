"""From residues of the phase to minutiae with a direction and a quality."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.extraction import constants as c
from ml.runtime.fingerprint.extraction.gabor import FilteredRidges
from ml.runtime.fingerprint.extraction.grids import FloatImage
from ml.runtime.fingerprint.extraction.orientation import OrientationField, ridge_angle
from ml.runtime.fingerprint.extraction.quality import ridge_quality
from ml.runtime.fingerprint.extraction.residues import Residues
from ml.runtime.fingerprint.minutiae import Minutiae

Points = NDArray[np.float32]


def described(residues: Residues, ridges: FilteredRidges, field: OrientationField) -> Minutiae:
    """Give residues a quality and a direction: from an end along its ridge, from a fork between its branches.

    Args:
        residues: Of `ridges`.
        ridges: The filtered picture.
        field: The orientations that it was filtered in.
    """
    if len(residues.xy) == 0:
        return Minutiae(residues.xy, np.zeros(0, np.float32), np.zeros(0, np.float32))
    angle = ridge_angle(sampled(field.x, residues.xy), sampled(field.y, residues.xy))
    # The turn is counted in the sense of the filters, which may be that of the other end of [0, π).
    cells = tuple((residues.xy[:, ::-1] // c.FINE_BLOCK).astype(np.int64).T)
    filtered = ridges.orientation[cells] * np.float32(math.pi / c.N_ORIENTATIONS)
    opposite = np.cos(angle - filtered) < 0.0
    direction = angle + np.where(residues.positive == opposite, 0.0, math.pi).astype(np.float32)
    strength = sampled(cv2.blur(ridges.amplitude, (c.AMPLITUDE_WINDOW, c.AMPLITUDE_WINDOW)), residues.xy, 1)
    coherence = sampled(field.coherence, residues.xy)
    return Minutiae(
        residues.xy, np.mod(direction, np.float32(2 * math.pi)), ridge_quality(strength, coherence)
    )


def sampled(values: FloatImage, xy: Points, block: int = c.FINE_BLOCK) -> NDArray[np.float32]:
    """Interpolate a grid at points given in pixels, at least one; shape (n,)."""
    at = (xy + np.float32(0.5)) / np.float32(block) - np.float32(0.5)
    picked = cv2.remap(values, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picked[:, 0])


def without_opposite_pairs(minutiae: Minutiae) -> Minutiae:
    """Drop pairs of close minutiae of opposite directions, the closest first.

    A scar, a pore or a break of a ridge makes two that cancel; a finger hardly ever does.
    """
    distance = np.hypot(*(axis[:, None] - axis[None, :] for axis in minutiae.xy.T))
    opposite = np.cos(minutiae.direction[:, None] - minutiae.direction[None, :]) < c.OPPOSITE_COSINE
    first, second = np.nonzero(np.triu((distance < c.OPPOSITE_DISTANCE) & opposite, 1))
    kept = np.ones(len(minutiae), bool)
    for pair in np.argsort(distance[first, second], kind="stable"):
        i, j = first[pair], second[pair]
        if kept[i] and kept[j]:
            kept[i] = kept[j] = False
    return chosen(minutiae, np.flatnonzero(kept))


def good(minutiae: Minutiae) -> Minutiae:
    """Keep the minutiae that are good enough."""
    return chosen(minutiae, np.flatnonzero(minutiae.quality >= c.MIN_QUALITY))


def best(minutiae: Minutiae) -> Minutiae:
    """Keep the best minutiae, at most `MOST_MINUTIAE`, the best first."""
    return chosen(minutiae, np.argsort(-minutiae.quality, kind="stable")[: c.MOST_MINUTIAE])


def chosen(minutiae: Minutiae, numbers: NDArray[np.intp]) -> Minutiae:
    """Return some of the minutiae."""
    return Minutiae(minutiae.xy[numbers], minutiae.direction[numbers], minutiae.quality[numbers])
