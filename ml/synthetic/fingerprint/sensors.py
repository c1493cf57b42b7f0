"""Sensors by name: their area, and how skin becomes grey values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sensor:
    """A fingerprint sensor.

    Args:
        width_px: Of its area at 500 dpi.
        height_px: Likewise.
        ridge_grey: Grey value of touched skin.
        valley_grey: Grey value between ridges.
        background_grey: Grey value where no finger lies.
        softness: How gradually grey follows the height of skin; a part of a ridge's height.
        blur_px: Of its optics; pixels at 500 dpi.
        noise_grey: Of each pixel, one standard deviation.
        shading_grey: Slow changes over the area, one standard deviation.
        dirt: Stains of the background, as a part of the contrast.
    """

    width_px: int
    height_px: int
    ridge_grey: float
    valley_grey: float
    background_grey: float
    softness: float
    blur_px: float
    noise_grey: float
    shading_grey: float
    dirt: float

    @staticmethod
    def named(sensor: Sensor | str) -> Sensor:
        """Return the sensor of that name; a sensor passes through.

        Raises:
            ValueError: An unknown name.
        """
        if isinstance(sensor, Sensor):
            return sensor
        if sensor not in SENSORS:
            raise ValueError(f"expected a sensor of {', '.join(SENSORS)}, found {sensor!r}")
        return SENSORS[sensor]


SENSORS: dict[str, Sensor] = {
    "optical": Sensor(
        width_px=320,
        height_px=400,
        ridge_grey=70.0,
        valley_grey=200.0,
        background_grey=225.0,
        softness=0.30,
        blur_px=0.8,
        noise_grey=5.0,
        shading_grey=12.0,
        dirt=0.05,
    ),
    "optical_small": Sensor(
        width_px=300,
        height_px=300,
        ridge_grey=140.0,
        valley_grey=212.0,
        background_grey=228.0,
        softness=0.55,
        blur_px=1.3,
        noise_grey=2.5,
        shading_grey=14.0,
        dirt=0.02,
    ),
    "optical_large": Sensor(
        width_px=448,
        height_px=478,
        ridge_grey=18.0,
        valley_grey=180.0,
        background_grey=180.0,
        softness=0.25,
        blur_px=0.7,
        noise_grey=8.0,
        shading_grey=22.0,
        dirt=0.25,
    ),
    "capacitive": Sensor(
        width_px=256,
        height_px=364,
        ridge_grey=118.0,
        valley_grey=258.0,
        background_grey=258.0,
        softness=0.18,
        blur_px=0.6,
        noise_grey=6.0,
        shading_grey=4.0,
        dirt=0.0,
    ),
}
DEFAULT_SENSOR = "optical"
