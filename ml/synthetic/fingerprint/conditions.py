"""How a finger is pressed and how its skin is, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Quality:
    """Conditions of an impression; lengths in pixels at 500 dpi, each spread as one standard deviation.

    Args:
        contact: Size of the touched area as a part of a full contact.
        contact_spread: Of that.
        shift_px: Of the finger on the sensor, and of the touched part of the finger.
        rotation_deg: Of the finger on the sensor.
        traction_px: How far skin is dragged.
        torsion_deg: How far skin is twisted.
        pressure_spread: Of the ridges' thickness; 0.2 is a tenth of a period.
        moisture: Mean thickness added: above 0 wet, below 0 dry.
        moisture_spread: Of that, within an impression.
        grain: Strength of fine noise on the ridges, as of dry skin.
        scratches: Mean number of lines that only this impression has.
    """

    contact: float
    contact_spread: float
    shift_px: float
    rotation_deg: float
    traction_px: float
    torsion_deg: float
    pressure_spread: float
    moisture: float
    moisture_spread: float
    grain: float
    scratches: float

    def on(self, wear: float) -> Quality:
        """Return the conditions with skin of that wear."""
        return replace(self, grain=self.grain * wear, scratches=self.scratches * wear)

    @staticmethod
    def named(quality: Quality | str) -> Quality:
        """Return the conditions of that name; conditions pass through.

        Raises:
            ValueError: An unknown name.
        """
        if isinstance(quality, Quality):
            return quality
        if quality not in QUALITIES:
            raise ValueError(f"expected a quality of {', '.join(QUALITIES)}, found {quality!r}")
        return QUALITIES[quality]


QUALITIES: dict[str, Quality] = {
    "good": Quality(
        contact=1.0,
        contact_spread=0.04,
        shift_px=8.0,
        rotation_deg=4.0,
        traction_px=4.0,
        torsion_deg=2.0,
        pressure_spread=0.10,
        moisture=0.0,
        moisture_spread=0.10,
        grain=0.25,
        scratches=0.3,
    ),
    "normal": Quality(
        contact=0.92,
        contact_spread=0.10,
        shift_px=24.0,
        rotation_deg=10.0,
        traction_px=11.0,
        torsion_deg=6.0,
        pressure_spread=0.30,
        moisture=0.0,
        moisture_spread=0.35,
        grain=0.45,
        scratches=2.0,
    ),
    "poor": Quality(
        contact=0.78,
        contact_spread=0.12,
        shift_px=36.0,
        rotation_deg=15.0,
        traction_px=18.0,
        torsion_deg=10.0,
        pressure_spread=0.45,
        moisture=0.0,
        moisture_spread=0.55,
        grain=0.65,
        scratches=5.0,
    ),
}
DEFAULT_QUALITY = "normal"
