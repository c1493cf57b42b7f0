from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.fingerprint import ComputedFinger


@pytest.fixture(scope="session")
def finger():
    return ComputedFinger.draw(2)


@pytest.fixture(scope="session")
def computed_print(finger):
    """An impression with its true minutiae; 320 × 400 pixels at 500 dpi."""
    return finger.impression(0)


@pytest.fixture(scope="session")
def grating():
    """Return waves of a period and an angle along their crests."""

    def draw(period_px, angle, shape=(192, 192)):
        y, x = np.mgrid[: shape[0], : shape[1]]
        return np.cos(2.0 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period_px).astype(np.float32)

    return draw
