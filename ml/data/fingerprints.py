"""Sets of fingerprint pictures as lists of `FingerprintFile`, sorted by finger and impression.

| part | set | may be used for |
|---|---|---|
| dev | FVC2000 DB1 to DB3 | choosing and fitting extractor, comparer and combiner |
| calibration | FCJ2020 people 101–125 | the map to decibans, and the nulls; nothing else |
| test F1 | FVC2002 and FVC2004, DB1 to DB3 | reported; chooses nothing |
| test F2 | FCJ2020 people 126–150 | reported; chooses nothing |
| strangers | SOCOFing, one impression of each finger | filling galleries; chooses nothing |
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ml.data.records import DataError

DEVELOPMENT: Final = ("fvc2000/DB1_B", "fvc2000/DB2_B", "fvc2000/DB3_B")
F1: Final = (
    "fvc2002/DB1_B",
    "fvc2002/DB2_B",
    "fvc2002/DB3_B",
    "fvc2004/DB1_B",
    "fvc2004/DB2_B",
    "fvc2004/DB3_B",
)
FCJ: Final = "fcj2020"
FCJ_CALIBRATION_PEOPLE: Final = range(101, 126)
FCJ_TEST_PEOPLE: Final = range(126, 151)
DPI: Final = {"fvc2002/DB2_B": 569, "fvc2004/DB3_B": 512}
USUAL_DPI: Final = 500
FCJ_MISLABELED: Final = frozenset(
    {
        *("101_5_1", "101_7_1", "102_6_1", "103_7_1", "103_6_6", "111_6_1", "114_6_3"),
        *("124_5_1", "137_6_1", "138_6_2", "139_6_1", "143_7_1", "139_6_3", "139_7_5"),
    }
)
"""Pictures that match another finger of the same person: mistakes of the set, not found by our code."""
SOCOFING: Final = "socofing/Real"
SOCOFING_DPI: Final = 166
"""Not stated by the set, whose authors scaled it down. At this one the ridges of 150 pictures lie as far
apart (median 9.1 pixels at 500 dpi) as those of FCJ2020 people 101–125."""
SOCOFING_LEFT_OUT: Final = frozenset(
    {
        *(64, 92, 203, 204, 219, 249, 260, 297, 363, 376, 418, 511, 553, 554, 560, 577, 585, 590),
        *(53, 226, 270, 303, 349, 354, 361),
    }
)
"""People whose pictures are also those of others, and people with pictures at another scale."""


@dataclass(frozen=True)
class FingerprintFile:
    """One picture of one finger.

    Args:
        path: PNG, JPEG 2000 or BMP.
        person: Whose finger; in FVC every finger is a person.
        finger: Unique over all sets.
        impression: From 1.
        dpi: Dots per inch.
    """

    path: Path
    person: str
    finger: str
    impression: int
    dpi: int


def read_fvc(data: Path, name: str) -> list[FingerprintFile]:
    """Read one database of FVC, such as `fvc2002/DB1_B`.

    Args:
        data: Folder that holds `fingerprint/`.
        name: Below it.

    Raises:
        DataError: Nothing there.
    """
    files = []
    for path in _pictures(data / "fingerprint" / name):
        finger, impression = path.stem.split("_")
        label = f"{name}/{finger}"
        files.append(FingerprintFile(path, label, label, int(impression), DPI.get(name, USUAL_DPI)))
    return sorted(files, key=lambda file: (file.finger, file.impression))


def read_fcj(data: Path, people: range) -> list[FingerprintFile]:
    """Read the pictures of some people of FCJ2020 but those that are mislabeled.

    Raises:
        DataError: Nothing there.
    """
    files = []
    for path in _pictures(data / "fingerprint" / FCJ):
        person, finger, impression = path.stem.split("_")
        if int(person) in people and path.stem not in FCJ_MISLABELED:
            label = f"{FCJ}/{person}_{finger}"
            files.append(FingerprintFile(path, f"{FCJ}/{person}", label, int(impression), USUAL_DPI))
    return sorted(files, key=lambda file: (file.finger, file.impression))


def read_socofing(data: Path) -> list[FingerprintFile]:
    """Read the real pictures of SOCOFing but those of people to be left out; one of each finger.

    Raises:
        DataError: Nothing there.
    """
    files = []
    for path in _pictures(data / "fingerprint" / SOCOFING):
        person, _, finger = path.stem.partition("__")
        if int(person) not in SOCOFING_LEFT_OUT:
            label = f"socofing/{person}"
            files.append(FingerprintFile(path, label, f"{label}/{finger}", 1, SOCOFING_DPI))
    return files


def _pictures(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.suffix in {".png", ".jp2", ".bmp", ".tif"}]
    if not found:
        raise DataError(f"no fingerprints in {folder}")
    return sorted(found)
