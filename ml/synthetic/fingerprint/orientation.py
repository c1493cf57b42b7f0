"""The direction of the ridges at every place of a finger.

Ridges of a finger without singular points are circular arcs over the crease. Each core turns them by half a
circle, each delta turns them back. Both have mirror images below the crease, which keep ridges there parallel
to it.

Source:
    Sherlock & Monro 1993, "A model for interpreting fingerprint topology", Pattern Recognition 26(7): cores
    and deltas as poles and zeros.
    Vizcaya & Gerhardt 1996, "A nonlinear orientation model for global description of fingerprints", Pattern
    Recognition 29(7): singular points alone fix the field too rigidly; here a smooth random turn is added.
    Huckemann, Hotz & Munk 2008, "Global models for the orientation field of fingerprints: an approach based
    on quadratic differentials", IEEE Trans. PAMI 30(9): arcs and mirror images.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ml.synthetic.fingerprint.pattern import SingularPoints
from ml.synthetic.fingerprint.random_fields import FloatArray, smooth_field

# The arcs pass through two points of the crease this far from the axis.
ARC_FOOT_PX = (190.0, 270.0)
HILL_WIDTH_PX = 75.0
HILL_HEIGHT_PX = 170.0
TURN_SD_RAD = 0.13
TURN_SCALE_PX = 55.0


def draw_orientation(
    points: SingularPoints, place: NDArray[np.complex128], step_px: float, rng: Generator
) -> FloatArray:
    """Draw the ridge directions of a finger.

    Args:
        points: Its cores and deltas.
        place: Pixels from the foot of the finger's axis, real to the right, imaginary up; complex128, shape
            (h, w).
        step_px: Distance of neighboring places.
        rng: Draws the arcs and the smooth turn.

    Returns:
        Radians from the image's x axis towards its y axis, which points down; ridges have no sense, so that π
        is 0; float32, shape (h, w).
    """
    foot = rng.uniform(*ARC_FOOT_PX)
    upwards = _modeled(points, place, foot)
    turn = TURN_SD_RAD * smooth_field(place.shape, TURN_SCALE_PX / step_px, rng)
    return ((-upwards + turn) % np.pi).astype(np.float32)


def _modeled(points: SingularPoints, place: NDArray[np.complex128], foot: float) -> NDArray[np.float64]:
    """Ridge directions, radians counterclockwise as seen: −½ arg of the quadratic differential."""
    turned = -2.0 * np.angle(place**2 - foot**2)
    for delta in points.deltas:
        turned += np.angle((place - delta) * (place - delta.conjugate()))
    for core in points.cores:
        turned -= np.angle((place - core) * (place - core.conjugate()))
    right = place.real / HILL_WIDTH_PX
    height = (place.imag - HILL_HEIGHT_PX) / HILL_WIDTH_PX
    rise = points.hill * right * np.exp(0.5 * (1.0 - right**2 - height**2))
    directions: NDArray[np.float64] = -0.5 * turned - rise
    return directions
