"""How a finger lies on a sensor: turned, shifted, and its skin dragged and twisted.

Source:
    Cappelli, Maio & Maltoni 2001, "Modelling plastic distortion in fingerprint images", ICAPR: skin pressed
    firmly stays, skin around it moves with the finger, and a ring between them stretches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ml.synthetic.fingerprint.conditions import Quality
from ml.synthetic.fingerprint.skin import AXIS_X_PX, CREASE_Y_PX
from ml.synthetic.fingerprint.true_minutiae import TrueMinutiae

# Middle of a usual contact, above the crease.
CONTACT_ABOVE_CREASE_PX = 250.0
FIRM_HALF_WIDTH_PX, FIRM_HALF_HEIGHT_PX = 45.0, 60.0
# Width of the stretched ring, in half axes of the firm ellipse.
RING = (1.2, 2.4)
_INVERSION_STEPS = 12
_PROBE_PX = 2.0


@dataclass(frozen=True)
class Placement:
    """Maps image to skin.

    Args:
        width: Of the image.
        height: Of the image.
        scale: Pixels of the image per pixel at 500 dpi.
        turn: Of the finger, radians.
        middle: The place of the skin at the middle of the image; pixels at 500 dpi.
        firm_middle: Middle of the skin that stays, likewise.
        traction: How far the skin around it is dragged, likewise.
        torsion: How far it is twisted, radians.
        ring: Width of the stretched ring, in half axes of the firm ellipse.
    """

    width: int
    height: int
    scale: float
    turn: float
    middle: complex
    firm_middle: complex
    traction: complex
    torsion: float
    ring: float

    def to_skin(self, at: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return the places of the skin at pixels of the image, as x + iy."""
        from_middle = (at - complex(self.width - 1, self.height - 1) / 2.0) / self.scale
        unstretched = self.middle + from_middle * complex(math.cos(self.turn), -math.sin(self.turn))
        away = unstretched - self.firm_middle
        reach = np.hypot(away.real / FIRM_HALF_WIDTH_PX, away.imag / FIRM_HALF_HEIGHT_PX) - 1.0
        moved = 0.5 - 0.5 * np.cos(np.pi * np.clip(reach / self.ring, 0.0, 1.0))
        twist = complex(math.cos(self.torsion), math.sin(self.torsion)) - 1.0
        on_skin: NDArray[np.complex128] = unstretched + moved * (away * twist + self.traction)
        return on_skin

    def to_image(self, on_skin: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return the pixels of the image at places of the skin: the inverse of `to_skin`."""
        back = self.scale * complex(math.cos(self.turn), math.sin(self.turn))
        at = np.full(on_skin.shape, complex(self.width - 1, self.height - 1) / 2.0)
        for _ in range(_INVERSION_STEPS):
            at = at + (on_skin - self.to_skin(at)) * back
        return at

    def seen(self, minutiae: TrueMinutiae) -> TrueMinutiae:
        """Return where an image shows minutiae of the skin."""
        place = minutiae.xy[:, 0].astype(np.float64) + 1j * minutiae.xy[:, 1]
        at = self.to_image(place)
        ahead = self.to_image(place + _PROBE_PX * np.exp(1j * minutiae.direction)) - at
        xy = np.stack([at.real, at.imag], 1).astype(np.float32)
        direction = (np.angle(ahead) % (2.0 * np.pi)).astype(np.float32)
        return TrueMinutiae(xy, direction, minutiae.is_ending, minutiae.number)


def draw_placement(size: tuple[int, int], scale: float, quality: Quality, rng: Generator) -> Placement:
    """Draw how the finger lies.

    Args:
        size: Width and height of the image.
        scale: Pixels of the image per pixel at 500 dpi.
        quality: Sets the spreads.
        rng: Draws.
    """
    usual = complex(AXIS_X_PX, CREASE_Y_PX - CONTACT_ABOVE_CREASE_PX)
    towards = rng.uniform(-math.pi, math.pi)
    return Placement(
        width=size[0],
        height=size[1],
        scale=scale,
        turn=math.radians(_within_two_sd(quality.rotation_deg, rng)),
        middle=usual + _complex_normal(quality.shift_px, rng),
        firm_middle=usual + _complex_normal(15.0, rng),
        traction=abs(_within_two_sd(quality.traction_px, rng))
        * complex(math.cos(towards), math.sin(towards)),
        torsion=math.radians(_within_two_sd(quality.torsion_deg, rng)),
        ring=rng.uniform(*RING),
    )


def _within_two_sd(sd: float, rng: Generator) -> float:
    return sd * float(np.clip(rng.standard_normal(), -2.0, 2.0))


def _complex_normal(sd: float, rng: Generator) -> complex:
    return complex(_within_two_sd(sd, rng), _within_two_sd(sd, rng))
