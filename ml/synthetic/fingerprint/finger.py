"""Computed fingers: equal seeds give equal fingers.

A finger is drawn once: its pattern class and singular points, the direction and period of its ridges, the
ridges that grow along them, pores and creases. Every impression of it lays the same skin on a sensor anew.

The parameters come from the literature that each module names, and from looking at development databases
(FVC2000 DB1-3). Error rates measured on computed fingers do not carry over to real ones.

Source:
    Maltoni, Maio, Jain & Feng 2022, "Handbook of Fingerprint Recognition", 3rd ed., chapter 7 (SFinGe).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ml.synthetic.fingerprint.conditions import DEFAULT_QUALITY, Quality
from ml.synthetic.fingerprint.growth import grow
from ml.synthetic.fingerprint.impression import Impression, press
from ml.synthetic.fingerprint.orientation import draw_orientation
from ml.synthetic.fingerprint.pattern import PatternClass, SingularPoints, draw_class, draw_points
from ml.synthetic.fingerprint.random_fields import stream
from ml.synthetic.fingerprint.ridge_period import draw_mean_period, draw_periods
from ml.synthetic.fingerprint.sensors import DEFAULT_SENSOR, Sensor
from ml.synthetic.fingerprint.skin import AXIS_X_PX, CREASE_Y_PX, HEIGHT_PX, WIDTH_PX, Skin, draw_skin
from ml.synthetic.fingerprint.true_minutiae import find_minutiae

# Ridges grow on a grid this coarse: half the pixels each way, a quarter of the work.
STEP_PX = 2

# Separate streams of random numbers, so that a change of one part leaves the others as they are.
_TRAITS, _DIRECTIONS, _PERIODS, _RIDGES, _SKIN, _IMPRESSION = range(100, 106)


@dataclass(frozen=True)
class ComputedFinger:
    """A computed finger.

    Args:
        seed: Any integer ≥ 0.
        pattern: Its class.
        points: Its singular points.
        period_px: Mean ridge period; pixels at 500 dpi.
    """

    seed: int
    pattern: PatternClass
    points: SingularPoints
    period_px: float

    @classmethod
    def draw(
        cls, seed: int, *, pattern: PatternClass | None = None, period_px: float | None = None
    ) -> ComputedFinger:
        """Draw a finger.

        Args:
            seed: Any integer ≥ 0.
            pattern: By default drawn with natural shares.
            period_px: Mean ridge period in pixels at 500 dpi; by default drawn.
        """
        rng = stream(_TRAITS, seed)
        drawn_pattern, drawn_period = draw_class(rng), draw_mean_period(rng)
        pattern = pattern or drawn_pattern
        return cls(seed, pattern, draw_points(pattern, rng), period_px or drawn_period)

    @cached_property
    def skin(self) -> Skin:
        """The ridges and all that is on them, grown at first use."""
        rows, columns = np.mgrid[0:HEIGHT_PX:STEP_PX, 0:WIDTH_PX:STEP_PX]
        place = (columns - AXIS_X_PX) + 1j * (CREASE_Y_PX - rows)
        direction = draw_orientation(self.points, place, STEP_PX, stream(_DIRECTIONS, self.seed))
        period = draw_periods(self.period_px, place, STEP_PX, stream(_PERIODS, self.seed))
        wave = grow(direction, period, STEP_PX, stream(_RIDGES, self.seed))
        minutiae = find_minutiae(wave, direction, period, STEP_PX)
        return draw_skin(wave, minutiae, stream(_SKIN, self.seed))

    def impression(
        self,
        seed: int = 0,
        *,
        quality: Quality | str = DEFAULT_QUALITY,
        sensor: Sensor | str = DEFAULT_SENSOR,
        dpi: int = 500,
    ) -> Impression:
        """Press the finger on a sensor.

        Args:
            seed: Another seed gives another impression.
            quality: How the finger is pressed and how its skin is: `good`, `normal`, `poor`, or conditions of
                one's own.
            sensor: The name of one of `sensors.SENSORS`, or a sensor of one's own.
            dpi: Resolution of the image; the sensor's area in millimeters stays.

        Raises:
            ValueError: An unknown name, or a resolution outside 250 to 1000 dpi.
        """
        return press(
            self.skin, stream(_IMPRESSION, self.seed, seed), Quality.named(quality), Sensor.named(sensor), dpi
        )
