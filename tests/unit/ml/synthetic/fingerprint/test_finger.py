from __future__ import annotations

import time

import numpy as np
import pytest

from ml.synthetic.fingerprint import CLASS_SHARES, ComputedFinger, PatternClass
from ml.synthetic.fingerprint.skin import HEIGHT_PX, WIDTH_PX

# Of finger 1.
SOME_MINUTIAE = [[50.99, 39.10], [130.12, 238.79], [273.17, 418.58]]


@pytest.fixture(scope="module")
def finger():
    return ComputedFinger.draw(1)


class TestDraw:
    def test_equal_seeds_give_equal_fingers(self, finger):
        again = ComputedFinger.draw(1)

        assert again == finger
        np.testing.assert_array_equal(again.skin.height, finger.skin.height)
        np.testing.assert_array_equal(again.skin.minutiae.xy, finger.skin.minutiae.xy)

    def test_other_seeds_give_other_fingers(self, finger):
        other = ComputedFinger.draw(2, pattern=finger.pattern, period_px=finger.period_px)

        assert other.points != finger.points
        assert abs(np.corrcoef(other.skin.height.ravel(), finger.skin.height.ravel())[0, 1]) < 0.05

    def test_a_machine_computes_the_finger_that_another_did(self, finger):
        """Changed models or streams of random numbers change it; rounding must not."""
        apart = np.linalg.norm(finger.skin.minutiae.xy[:, None] - np.array(SOME_MINUTIAE), axis=2)

        assert finger.pattern == PatternClass.LEFT_LOOP
        assert len(finger.skin.minutiae) == pytest.approx(160, abs=4)
        assert apart.min(axis=0).max() < 0.5

    def test_classes_come_with_their_natural_shares(self):
        drawn = [ComputedFinger.draw(seed).pattern for seed in range(1500)]

        for pattern, share in CLASS_SHARES.items():
            assert drawn.count(pattern) / 1500 == pytest.approx(share, abs=4.0 * np.sqrt(share / 1500))

    def test_period_and_class_can_be_given(self):
        finger = ComputedFinger.draw(5, pattern=PatternClass.ARCH, period_px=8.0)

        assert (finger.pattern, finger.period_px) == (PatternClass.ARCH, 8.0)
        assert finger.points.cores == ()


class TestSkin:
    def test_minutiae_are_as_dense_as_on_real_fingers(self):
        """FVC2000 DB1-3 show 0.10 to 0.34 per mm² (5 to 95 % of impressions)."""
        inner = [
            np.abs(skin.minutiae.xy - [WIDTH_PX / 2, HEIGHT_PX / 2]).max(1) < 150
            for skin in (ComputedFinger.draw(seed).skin for seed in range(3))
        ]

        per_mm2 = np.array([part.sum() for part in inner]) / (300 / 19.685) ** 2

        assert ((per_mm2 > 0.10) & (per_mm2 < 0.40)).all()

    def test_growing_takes_less_than_a_second(self):
        started = time.process_time()

        _ = ComputedFinger.draw(77).skin

        assert time.process_time() - started < 1.0
