"""Computed people: a heart and ten fingers of one seed.

What the fingers of a person share is drawn once: the ridge period, and on which side loops open. Loops open
towards the little finger in nineteen of twenty cases, so that those of the left hand are left loops.

Source:
    Maltoni, Maio, Jain & Feng 2022, "Handbook of Fingerprint Recognition", 3rd ed., section 5.1: ulnar and
    radial loops.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.synthetic.ecg import SyntheticPerson
from ml.synthetic.fingerprint import ComputedFinger, PatternClass
from ml.synthetic.fingerprint.pattern import draw_class
from ml.synthetic.fingerprint.random_fields import stream
from ml.synthetic.fingerprint.ridge_period import draw_mean_period

FINGERS = tuple(
    f"{hand}_{finger}"
    for hand in ("left", "right")
    for finger in ("thumb", "index", "middle", "ring", "little")
)
ULNAR_SHARE = 0.94
# One standard deviation between the fingers of a person.
PERIOD_SPREAD = 0.03

_PERIOD, _CLASS = 200, 201


@dataclass(frozen=True)
class ComputedPerson:
    """A computed person; equal seeds give equal people, with the heart of `SyntheticPerson.draw`.

    Args:
        seed: Any integer ≥ 0.
    """

    seed: int

    @property
    def heart(self) -> SyntheticPerson:
        """What the person's recordings of ECG come from."""
        return SyntheticPerson.draw(self.seed)

    def finger(self, position: str) -> ComputedFinger:
        """Return one of the ten fingers, such as `right_index`.

        Raises:
            ValueError: An unknown position.
        """
        if position not in FINGERS:
            raise ValueError(f"expected a finger of {', '.join(FINGERS)}, found {position!r}")
        number = FINGERS.index(position)
        wider = 1.0 + PERIOD_SPREAD * stream(_PERIOD, self.seed, number).standard_normal()
        return ComputedFinger.draw(
            self.seed * len(FINGERS) + number,
            pattern=self._class(number),
            period_px=draw_mean_period(stream(_PERIOD, self.seed)) * wider,
        )

    def _class(self, number: int) -> PatternClass:
        rng = stream(_CLASS, self.seed, number)
        pattern = draw_class(rng)
        if pattern not in {PatternClass.LEFT_LOOP, PatternClass.RIGHT_LOOP}:
            return pattern
        opens_left = FINGERS[number].startswith("left") == (rng.random() < ULNAR_SHARE)
        return PatternClass.LEFT_LOOP if opens_left else PatternClass.RIGHT_LOOP
