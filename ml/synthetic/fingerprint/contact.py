"""Which part of the skin touches the sensor, and how much."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ml.synthetic.fingerprint.conditions import Quality
from ml.synthetic.fingerprint.placement import CONTACT_ABOVE_CREASE_PX
from ml.synthetic.fingerprint.random_fields import FloatArray, smooth_field
from ml.synthetic.fingerprint.skin import AXIS_X_PX, CREASE_Y_PX, HEIGHT_PX, WIDTH_PX

FULL_HALF_WIDTH_PX, FULL_HALF_HEIGHT_PX = 142.0, 205.0
SHAPE_SPREAD = 0.06
# Between an ellipse (2) and a rectangle.
EXPONENT = 2.4
# The border wanders by this much.
BORDER_SD, BORDER_SCALE_PX = 0.022, 12.0
# Contact fades over this part of the half axes.
FADING = 0.12
SHIFT_OF_CONTACT = 0.5
# Far from any contact.
NO_SKIN = -8.0


def draw_contact(
    on_skin: NDArray[np.complex128], scale: float, size: float, quality: Quality, rng: Generator
) -> FloatArray:
    """Draw the touched area.

    Args:
        on_skin: The place of the skin at each pixel; complex, shape (h, w).
        scale: Pixels of the image per pixel at 500 dpi.
        size: Of the finger, 1 for a usual one.
        quality: Sets how much of it is touched, and the shift.
        rng: Draws.

    Returns:
        1 well inside, 0 at the border, negative outside, at least `NO_SKIN`; float32, shape (h, w).
    """
    part = np.clip(rng.normal(quality.contact, quality.contact_spread), 0.45, 1.1)
    half_width, half_height = (
        size
        * part
        * np.exp(SHAPE_SPREAD * rng.standard_normal(2))
        * [
            FULL_HALF_WIDTH_PX,
            FULL_HALF_HEIGHT_PX,
        ]
    )
    shift = SHIFT_OF_CONTACT * quality.shift_px * rng.standard_normal(2)
    right = np.abs(on_skin.real - AXIS_X_PX - shift[0]) / half_width
    down = np.abs(on_skin.imag - CREASE_Y_PX + CONTACT_ABOVE_CREASE_PX - shift[1]) / half_height
    radius = (right**EXPONENT + down**EXPONENT) ** (1.0 / EXPONENT)
    radius += BORDER_SD * smooth_field(radius.shape, BORDER_SCALE_PX * scale, rng)
    touched = np.where(_has_skin(on_skin), (1.0 - radius) / FADING, NO_SKIN)
    return np.clip(touched, NO_SKIN, 1.0).astype(np.float32)


def _has_skin(on_skin: NDArray[np.complex128]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (np.abs(on_skin.real - WIDTH_PX / 2) < WIDTH_PX / 2) & (
        np.abs(on_skin.imag - HEIGHT_PX / 2) < HEIGHT_PX / 2
    )
    return inside
