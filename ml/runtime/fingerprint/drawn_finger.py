"""A drawn fingerprint, which the extraction takes for one: to warm up with and for tests."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_HEIGHT: Final = 320
_WIDTH: Final = 260
_PERIOD_PX: Final = 9.0
_MINUTIAE: Final = 36
_BACKGROUND: Final = 230.0


def drawn_finger(seed: int = 0) -> NDArray[np.uint8]:
    """Draw arched ridges, with minutiae where their phase turns once around a point.

    Args:
        seed: Of the finger.

    Returns:
        500 dpi, ridges dark; uint8, shape (height, width).

    Source:
        Larkin and Fletcher, 2007, A coherent framework for fingerprint analysis: are fingerprints holograms?
    """
    finger = np.random.default_rng([20261201, seed])
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float64)
    across, down = (x - _WIDTH / 2.0) / _WIDTH, (y - _HEIGHT / 2.0) / _HEIGHT
    bend = finger.uniform(60.0, 120.0)
    phase = 2.0 * np.pi / _PERIOD_PX * (y + bend * across**2)
    for turn in range(_MINUTIAE):
        place = finger.uniform((0.15, 0.12), (0.85, 0.88)) * (_WIDTH, _HEIGHT)
        phase += (1.0 if turn % 2 else -1.0) * np.arctan2(y - place[1], x - place[0])
    ridges = 135.0 + 80.0 * np.cos(phase) + finger.normal(0.0, 6.0, phase.shape)
    pad = np.clip((0.23 - across**2 - down**2) * 40.0, 0.0, 1.0)
    drawn = pad * ridges + (1.0 - pad) * _BACKGROUND
    return np.asarray(np.clip(cv2.GaussianBlur(drawn, (0, 0), 0.8), 0, 255), dtype=np.uint8)


def drawn_finger_file(seed: int = 0) -> bytes:
    """Return `drawn_finger` as a PNG."""
    return bytes(cv2.imencode(".png", drawn_finger(seed))[1].tobytes())
