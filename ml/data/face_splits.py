"""Who of the face sets calibrates and who tests, divided once and for all by a hash.

| set | calibration | test |
|---|---|---|
| AR, 99 people | 41: 21 men, 20 women | 58: 29 men, 29 women (F4; also the faces of all virtual people) |
| ORL, 40 people | 20 | 20 (F3) |

Yale and CMU choose: thresholds, the quality figure, which pose is refused. Calibration people set the map
from cosine to decibans, and the null. Test people choose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

from ml.data.splits import assert_disjoint, split_people

FacePart = Literal["calibration", "test"]
FaceSplit = Mapping[FacePart, tuple[str, ...]]

# Chosen before any face was compared; another salt is another split.
SALT: Final = "pulseprint/faces/people/1:"
AR_MEN: Final = tuple(f"m{number:03d}" for number in range(1, 51))
AR_WOMEN: Final = tuple(f"w{number:03d}" for number in range(51, 100))
AR_TEST_OF_EACH_SEX: Final = 29
ORL_PEOPLE: Final = tuple(f"s{number}" for number in range(1, 41))
ORL_TEST: Final = 20


@cache
def ar_split() -> FaceSplit:
    """Return the two parts of AR, each sorted; as many men as women test."""
    sexes = [_halves(people, AR_TEST_OF_EACH_SEX) for people in (AR_MEN, AR_WOMEN)]
    return {
        part: tuple(sorted(person for split in sexes for person in split[part]))
        for part in ("calibration", "test")
    }


@cache
def orl_split() -> FaceSplit:
    """Return the two parts of ORL, each sorted."""
    return _halves(ORL_PEOPLE, ORL_TEST)


def _halves(people: tuple[str, ...], test: int) -> FaceSplit:
    split = split_people(people, salt=SALT, sizes=(("test", test), ("calibration", len(people) - test)))
    parts: FaceSplit = {"calibration": split["calibration"], "test": split["test"]}
    assert_disjoint({str(part): found for part, found in parts.items()})
    return parts
