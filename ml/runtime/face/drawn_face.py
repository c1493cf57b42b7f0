"""A drawn face, which detectors take for one: to warm up with, for tests and demonstrations."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from ml.runtime.image.orientation import Pixels

_SKIN: Final = (140, 170, 215)
_DARK: Final = (40, 50, 70)


def drawn_face(seed: int = 0, *, take: int = 0, size: int = 240) -> Pixels:
    """Draw the face of a computed person.

    Args:
        seed: Of the person: proportions and colors.
        take: Of the picture: a slight change of place and light.
        size: Side of the picture, pixels; the eyes are about a sixth of it apart.

    Returns:
        Blue, green, red; uint8, shape (size, size, 3).
    """
    person = np.random.default_rng([20261201, seed])
    moment = np.random.default_rng([20261201, seed, 1 + take])
    unit = size / 240.0
    shift = moment.uniform(-4.0, 4.0, 2)
    light = moment.uniform(0.92, 1.05)
    traits = person.uniform(-1.0, 1.0, 12)
    skin = np.clip(np.array(_SKIN) + 18.0 * traits[9:12], 0, 255)
    canvas = np.full((size, size, 3), (190, 190, 185), dtype=np.uint8)

    def place(x: float, y: float) -> tuple[int, int]:
        return round((120.0 + x + shift[0]) * unit), round((120.0 + y + shift[1]) * unit)

    def oval(
        x: float, y: float, half_width: float, half_height: float, color: object, *, line: int = -1
    ) -> None:
        axes = (max(1, round(half_width * unit)), max(1, round(half_height * unit)))
        cv2.ellipse(canvas, place(x, y), axes, 0.0, 0.0, 360.0, color, line, cv2.LINE_AA)

    hair = tuple(float(value) for value in np.array(_DARK) + 25.0 * (1.0 + traits[8]))
    oval(0, -22, 66 + 5 * traits[0], 78, hair)
    oval(0, 0, 58 + 5 * traits[0], 76 + 5 * traits[1], tuple(skin.tolist()))
    eyes, brow = 24.0 + 3.0 * traits[2], -38.0 + 3.0 * traits[3]
    for side in (-1.0, 1.0):
        oval(side * eyes, -18, 11 + 2 * traits[4], 6 + 1.5 * traits[5], (245, 245, 245))
        oval(side * eyes, -18, 5, 5, _DARK)
        oval(side * eyes, brow, 13, 2.5 + traits[6], hair)
    shade = tuple((0.8 * skin).tolist())
    oval(0, 4, 5 + traits[7], 16, shade)
    oval(0, 16, 10 + 2 * traits[7], 6, shade)
    oval(0, 42 + 3 * traits[1], 20 + 4 * traits[0], 6 + 1.5 * traits[4], (70, 70, 170))
    blurred = cv2.GaussianBlur(canvas, (0, 0), 1.2 * unit)
    return np.asarray(np.clip(blurred * light, 0, 255), dtype=np.uint8)


def drawn_face_file(seed: int = 0, *, take: int = 0, size: int = 240) -> bytes:
    """Return the picture as a PNG file."""
    _, encoded = cv2.imencode(".png", drawn_face(seed, take=take, size=size))
    return encoded.tobytes()
