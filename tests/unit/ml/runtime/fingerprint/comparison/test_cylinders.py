"""Cylinders, re-derived slowly."""

from math import atan2, cos, erf, exp, hypot, pi, sin, sqrt

import numpy as np

from ml.runtime.fingerprint.comparison.cylinders import (
    CELLS,
    CELLS_A_SIDE,
    LEVELS,
    RADIUS_PX,
    SECTIONS,
    SPREAD_PX,
    SPREAD_RAD,
    cylinders,
)
from ml.runtime.fingerprint.minutiae import Minutiae
from tests.unit.ml.runtime.fingerprint.comparison.prints import finger, moved


def contribution(minutiae: Minutiae, i: int, cell: int, section: int) -> float:
    """Equations 3 to 9 of the paper, literally."""
    side = 2.0 * RADIUS_PX / CELLS_A_SIDE
    u = (cell // CELLS_A_SIDE - (CELLS_A_SIDE - 1) / 2) * side
    v = (cell % CELLS_A_SIDE - (CELLS_A_SIDE - 1) / 2) * side
    theta = float(minutiae.direction[i])
    x = float(minutiae.xy[i, 0]) + cos(theta) * u - sin(theta) * v
    y = float(minutiae.xy[i, 1]) + sin(theta) * u + cos(theta) * v
    wanted = -pi + (section + 0.5) * 2.0 * pi / SECTIONS
    total = 0.0
    for t in range(len(minutiae)):
        far = hypot(float(minutiae.xy[t, 0]) - x, float(minutiae.xy[t, 1]) - y)
        if t == i:
            continue
        spatial = exp(-far * far / (2.0 * SPREAD_PX**2)) / (SPREAD_PX * sqrt(2.0 * pi))
        off = wanted - (theta - float(minutiae.direction[t]))
        off = abs(atan2(sin(off), cos(off)))
        scale = SPREAD_RAD * sqrt(2.0)
        half = pi / SECTIONS
        total += spatial * 0.5 * (erf((off + half) / scale) - erf((off - half) / scale))
    return total


class TestCylinders:
    def test_bits_are_those_of_the_paper(self) -> None:
        minutiae = finger(1, 12)

        built = cylinders(minutiae)

        for i in range(len(minutiae)):
            for cell in range(CELLS):
                inside = bool(int(built.cells[i]) >> cell & 1)
                for section in range(SECTIONS):
                    expected = contribution(minutiae, i, cell, section) if inside else 0.0
                    assert np.isclose(built.fillings[i, cell * SECTIONS + section], expected, atol=1e-6)
                    for number, level in enumerate(LEVELS):
                        found = bool(int(built.bits[i, number * SECTIONS + section]) >> cell & 1)
                        assert found == (expected > level)

    def test_turning_the_finger_changes_few_bits(self) -> None:
        minutiae = finger(2)

        before, after = cylinders(minutiae), cylinders(moved(minutiae, 0.7, (90.0, 40.0)))

        common = before.cells & after.cells
        changed = np.bitwise_count((before.bits ^ after.bits) & common[:, None]).sum()
        assert changed <= 0.01 * np.bitwise_count(before.bits).sum()

    def test_a_minutia_far_from_all_others_has_no_cylinder(self) -> None:
        near = finger(3, 20)
        minutiae = Minutiae(
            np.append(near.xy, [[3000.0, 3000.0]], axis=0).astype(np.float32),
            np.append(near.direction, 0.0).astype(np.float32),
            np.append(near.quality, 1.0).astype(np.float32),
        )

        valid = cylinders(minutiae).valid

        assert not valid[-1]
        assert valid[:-1].all()

    def test_fewer_than_three_minutiae_have_none(self) -> None:
        assert not cylinders(finger(4, 2)).valid.any()
