"""One image of a finger, and the minutiae that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ml.synthetic.fingerprint.conditions import Quality
from ml.synthetic.fingerprint.contact import draw_contact
from ml.synthetic.fingerprint.placement import Placement, draw_placement
from ml.synthetic.fingerprint.random_fields import FloatArray, smooth_field
from ml.synthetic.fingerprint.sensors import Sensor
from ml.synthetic.fingerprint.skin import Skin
from ml.synthetic.fingerprint.strokes import draw_strokes
from ml.synthetic.fingerprint.true_minutiae import TrueMinutiae

LOWEST_DPI, HIGHEST_DPI = 250, 1000
# Nearer to the border ridges are half gone, and minutiae are not listed.
LISTED_CONTACT = 0.6
MOISTURE_SCALE_PX = 40.0
GRAIN_SCALE_PX = 1.6
# Skin beside the contact lies this much lower.
LIFT = 2.5


@dataclass(frozen=True, eq=False)
class Impression:
    """A fingerprint image, and the truth about it.

    Args:
        image: Grey values, ridges dark; uint8, shape (h, w).
        dpi: Its resolution.
        minutiae: The ground truth, in pixels of the image.
        contact: Where the finger touches; bool, shape (h, w).
    """

    image: NDArray[np.uint8] = field(repr=False)
    dpi: int
    minutiae: TrueMinutiae = field(repr=False)
    contact: NDArray[np.bool_] = field(repr=False)


def press(skin: Skin, rng: Generator, quality: Quality, sensor: Sensor, dpi: int) -> Impression:
    """Press a finger on a sensor; see `ComputedFinger.impression`."""
    if not LOWEST_DPI <= dpi <= HIGHEST_DPI:
        raise ValueError(f"expected {LOWEST_DPI} to {HIGHEST_DPI} dpi, found {dpi}")
    scale = dpi / 500.0
    size = (round(sensor.width_px * scale), round(sensor.height_px * scale))
    # A stream each: a change of one part leaves the others as they are.
    lying, covering, pressing, sensing = rng.spawn(4)
    placement = draw_placement(size, scale, quality, lying)
    on_skin = placement.to_skin(np.arange(size[0])[None, :] + 1j * np.arange(size[1])[:, None])
    contact = draw_contact(on_skin, scale, skin.size, quality, covering)
    laid = _laid_down(skin.height - skin.dryness, on_skin)
    worn = quality.on(skin.wear)
    touching = _touching(laid, contact, scale, quality=worn, sensor=sensor, rng=pressing)
    image = _sensed(touching, contact, scale, sensor, sensing)
    return Impression(image, dpi, _shown(skin.minutiae, placement, contact), contact > 0.0)


def _laid_down(height: FloatArray, on_skin: NDArray[np.complex128]) -> FloatArray:
    laid: FloatArray = cv2.remap(
        height,
        on_skin.real.astype(np.float32),
        on_skin.imag.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return laid


def _touching(
    height: FloatArray, contact: FloatArray, scale: float, *, quality: Quality, sensor: Sensor, rng: Generator
) -> FloatArray:
    """How much of each pixel touches the sensor, 0 to 1."""
    pressure = quality.moisture + quality.pressure_spread * float(np.clip(rng.standard_normal(), -2.0, 2.0))
    moisture = quality.moisture_spread * smooth_field(height.shape, MOISTURE_SCALE_PX * scale, rng)
    grain = quality.grain * smooth_field(height.shape, GRAIN_SCALE_PX * scale, rng)
    scratches = draw_strokes(
        height.shape, rng.poisson(quality.scratches), rng, length_px=(20.0 * scale, 180.0 * scale)
    )
    raised = height + pressure + moisture + grain - scratches - LIFT * (1.0 - contact)
    touching: FloatArray = 1.0 / (1.0 + np.exp(np.clip(-raised / sensor.softness, -30.0, 30.0)))
    return touching


def _sensed(
    touching: FloatArray, contact: FloatArray, scale: float, sensor: Sensor, rng: Generator
) -> NDArray[np.uint8]:
    near = np.clip(contact + 1.0, 0.0, 1.0)
    dirt = sensor.dirt * np.abs(smooth_field(touching.shape, 2.0 * scale, rng)) * (1.0 - near)
    surface = sensor.background_grey + near * (sensor.valley_grey - sensor.background_grey)
    grey = surface + (touching + dirt) * (sensor.ridge_grey - surface)
    grey += sensor.shading_grey * smooth_field(touching.shape, 60.0 * scale, rng)
    grey = cv2.GaussianBlur(grey, (0, 0), sensor.blur_px * scale)
    grey += sensor.noise_grey * rng.standard_normal(grey.shape, dtype=np.float32)
    sensed: NDArray[np.uint8] = np.rint(np.clip(grey, 0.0, 255.0)).astype(np.uint8)
    return sensed


def _shown(minutiae: TrueMinutiae, placement: Placement, contact: FloatArray) -> TrueMinutiae:
    seen = placement.seen(minutiae)
    height, width = contact.shape
    column, row = np.rint(seen.xy).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    touched = contact[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)] >= LISTED_CONTACT
    return seen.where(inside & touched)
