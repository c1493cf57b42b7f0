"""What lowers the quality of a picture of a finger or a face, by what can be measured in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from app.domain.captures import FaceFacts, FingerprintFacts
from app.domain.quality import Finding

MM_PER_PX: Final = 25.4 / 500.0
# Of 240 impressions that choose (FVC2000, three real sensors) the smallest shows 118 mm², and 95 % above 145.
PARTIAL_PRINT_MM2: Final = 120.0
# Every second of them shows at least 16 minutiae, a mean clarity of 0.52, and ridges 7.1 to 13.5 px apart.
FEW_MINUTIAE: Final = 12
UNCLEAR_RIDGES: Final = 0.5
USUAL_RIDGE_PERIODS_PX: Final = (6.0, 14.0)
# Faces are aligned to 35 px between the eyes: below that, pixels have to be invented.
CLOSE_EYES_PX: Final = 35.0
# A nose half as far aside as where faces are refused; 1 has it in front of an eye.
NOSE_ASIDE: Final = 0.6
LOW_PART: Final = 0.5

_PARTS: Final = {
    "sharpness": ("blurred", "The picture is blurred. Hold the camera still, and clean its lens."),
    "size": ("small_face", "The face is small. Come closer."),
    "frontal": ("turned_face", "The face is turned. Look straight into the camera."),
    "certainty": ("unclear_face", "The face is hard to make out: covered, in shadow or noisy."),
    "framing": ("cut_off_face", "The picture cuts the face off. Show the whole head."),
    "light": ("poor_light", "The light is poor. Turn toward it, and away from windows behind you."),
}


def findings_of(facts: object | None) -> tuple[Finding, ...]:
    """The findings in an image's facts, the most telling first; none for other facts."""
    if isinstance(facts, FingerprintFacts):
        return tuple(_of_fingerprint(facts))
    if isinstance(facts, FaceFacts):
        found = {finding.code: finding for finding in _of_face(facts)}
        return tuple(found.values())
    return ()


def print_area_mm2(facts: FingerprintFacts) -> float:
    """Area that shows ridges."""
    return float(facts.mask.sum()) * (facts.cell_px * MM_PER_PX) ** 2


def ridge_clarity(facts: FingerprintFacts) -> float:
    """Mean quality where there are ridges, 0 to 1."""
    return float(facts.quality_map[facts.mask].mean()) if facts.mask.any() else 0.0


def eye_distance_px(facts: FaceFacts) -> float:
    """Distance between the eyes."""
    right, left = facts.landmarks[0], facts.landmarks[1]
    return math.hypot(float(left[0] - right[0]), float(left[1] - right[1]))


def nose_aside(facts: FaceFacts) -> float:
    """How far the nose lies from the middle of the eyes, along their line, in halves of their distance."""
    right, left, nose = np.asarray(facts.landmarks[:3], dtype=np.float64)
    eyes = left - right
    along = float(eyes @ eyes)
    return abs(2.0 * float((nose - (right + left) / 2.0) @ eyes) / along) if along else 0.0


def _of_fingerprint(facts: FingerprintFacts) -> Iterator[Finding]:
    area_mm2, n_minutiae = print_area_mm2(facts), len(facts.minutiae.direction)
    if area_mm2 < PARTIAL_PRINT_MM2:
        yield Finding(
            "partial_print", f"Only {area_mm2:.0f} mm² of the finger can be seen. Lay it down flat."
        )
    if (clarity := ridge_clarity(facts)) < UNCLEAR_RIDGES:
        yield Finding(
            "unclear_ridges",
            f"The ridges are unclear ({100 * clarity:.0f} %). Clean the sensor; moisten a dry finger, "
            "dry a wet one.",
        )
    if n_minutiae < FEW_MINUTIAE:
        yield Finding("few_minutiae", f"Only {n_minutiae} ridge endings and forks were found.")
    period_px = facts.ridge_period_px
    least, most = USUAL_RIDGE_PERIODS_PX
    if period_px is not None and not least <= period_px <= most:
        yield Finding(
            "unusual_ridge_period",
            f"Ridges are {period_px * MM_PER_PX:.2f} mm apart, which is unusual. Check the dots per inch.",
        )


def _of_face(facts: FaceFacts) -> Iterator[Finding]:
    if (distance_px := eye_distance_px(facts)) < CLOSE_EYES_PX:
        yield Finding("small_face", f"The eyes are only {distance_px:.0f} pixels apart. Come closer.")
    if nose_aside(facts) > NOSE_ASIDE:
        yield Finding(*_PARTS["frontal"])
    for name, value in sorted(facts.quality_parts.items(), key=lambda part: part[1]):
        if value < LOW_PART:
            words = name.replace("_", " ")
            code, sentence = _PARTS.get(name, (f"low_{name}", f"{words.capitalize()} is low."))
            yield Finding(code, sentence)
