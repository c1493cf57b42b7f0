"""People with vectors of several modalities: what a fusion network is fitted to and calibrated on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

CALIBRATION_SHARE = 0.4
MIN_PEOPLE = 8
"""On either side of the split; far more are needed for thresholds that mean much."""


class FusionDataError(Exception):
    """Captures that no fusion network can be made of; the message is one line."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Captures of one modality of one person.

    Args:
        rows: Unit norm, float32, shape (n, d), n ≥ 2: one to enroll, one to recognize.
        quality: 0 to 1, shape (n,).
    """

    rows: FloatArray
    quality: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Person:
    """One person's captures by modality."""

    name: str
    vectors: Mapping[str, Vectors]


def split(people: Sequence[Person]) -> tuple[list[Person], list[Person]]:
    """Divide people by a hash of their names into those to fit to and those to calibrate on.

    Adding people later moves nobody from one side to the other.

    Raises:
        FusionDataError: Too few people on a side.
    """
    fitted = [person for person in people if _place(person.name) >= CALIBRATION_SHARE]
    calibrated = [person for person in people if _place(person.name) < CALIBRATION_SHARE]
    if min(len(fitted), len(calibrated)) < MIN_PEOPLE:
        raise FusionDataError(
            f"expected at least {MIN_PEOPLE} people to fit to and {MIN_PEOPLE} to calibrate on, found"
            f" {len(fitted)} and {len(calibrated)} among {len(people)} with two captures of each modality"
        )
    return fitted, calibrated


def _place(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2.0**64
