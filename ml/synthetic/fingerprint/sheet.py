"""A picture of many computed fingerprints, to judge them by eye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.synthetic.fingerprint.conditions import QUALITIES
from ml.synthetic.fingerprint.finger import ComputedFinger
from ml.synthetic.fingerprint.sensors import SENSORS

GAP_PX = 8
_WHITE = 255


def draw_sheet(first_seed: int, fingers: int = 2) -> NDArray[np.uint8]:
    """Draw a row for each sensor, and in it each finger in each quality.

    Args:
        first_seed: Of the first finger; every sensor shows others.
        fingers: In each row.

    Returns:
        Grey values, uint8, shape (h, w).
    """
    rows = []
    for number, sensor in enumerate(SENSORS):
        seeds = range(first_seed + number * fingers, first_seed + (number + 1) * fingers)
        people = [ComputedFinger.draw(seed) for seed in seeds]
        rows.append(
            [
                finger.impression(0, quality=name, sensor=sensor).image
                for finger in people
                for name in QUALITIES
            ]
        )
    height = max(image.shape[0] for row in rows for image in row) + GAP_PX
    width = max(image.shape[1] for row in rows for image in row) + GAP_PX
    sheet = np.full((height * len(rows), width * len(rows[0])), _WHITE, np.uint8)
    for down, row in enumerate(rows):
        for right, image in enumerate(row):
            top, left = down * height, right * width
            sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return sheet
