"""Virtual people of research sets: the hearts of ECG-ID, the faces of AR or ORL, the fingers of FCJ2020.

The folder holds `ecg/ecg_id`, and `face/ar_99`, `face/orl` or `fingerprint/fcj2020`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import cv2

from app.demo.people import MAX_PEOPLE, Cast, Person, divided
from app.demo.recorded_people import strip_of
from app.demo.recordings import Picture, Strip, png
from app.demo.server import DemoError
from ml.data.face_splits import ar_split, orl_split
from ml.data.faces import AR_SECOND_SESSION, FaceRecord, read_ar, read_orl
from ml.data.fingerprints import FCJ, FCJ_TEST_PEOPLE, read_fcj
from ml.data.readers import DataError, read_ecg_id

ECG_ID, AR, ORL = Path("ecg", "ecg_id"), Path("face", "ar_99"), Path("face", "orl")
FINGERS = Path("fingerprint", FCJ)

Capture = TypeVar("Capture")
# Captures of one heart, face or finger: what is enrolled, and another.
Strips = list[tuple[Strip, Strip]]
Pictures = list[tuple[Picture, Picture]]


def holds_sets(folder: Path) -> bool:
    """Whether a folder holds ECG-ID and a set of faces or fingerprints to pair it with."""
    return (folder / ECG_ID).is_dir() and any((folder / other).is_dir() for other in (AR, ORL, FINGERS))


def virtual_cast(folder: Path) -> Cast:
    """As many people as the smallest set has, paired in the order of the sets.

    Faces and fingers are of people who calibrated no encoder.

    Raises:
        DemoError: A set is not what it should be.
    """
    try:
        strips, pictures = _hearts(folder), [*_faces(folder), *_fingers(folder)]
    except DataError as error:
        raise DemoError(str(error)) from error
    people = [_person(number, *one) for number, one in enumerate(zip(strips, *pictures, strict=False), 1)]
    members, strangers = divided(people[:MAX_PEOPLE])
    names = " and a ".join(of_set[0][0].modality for of_set in pictures)
    return Cast(
        about=f"{len(people)} virtual people of {folder}: each has the heart of one person and a {names} of "
        f"others, paired in a fixed order. {len(members)} are enrolled by one capture of each and recognized "
        f"by another; {len(strangers)} are strangers, never enrolled.",
        members=members,
        strangers=strangers,
        strangers_join=False,
        caution="None of these people exists. The two ECG recordings of a heart are mostly of one day, and "
        "those of one finger of one session; across days both are worse.",
    )


def _person(number: int, strips: tuple[Strip, Strip], *pictures: tuple[Picture, Picture]) -> Person:
    enrolled, probes = [first for first, _ in pictures], [second for _, second in pictures]
    return Person(f"virtual-{number:02d}", (strips[0], *enrolled), strips[1], tuple(probes))


def _hearts(folder: Path) -> Strips:
    records = read_ecg_id(folder / ECG_ID)
    pairs = _pairs(records, lambda record: record.subject_id)
    return [(strip_of(first), strip_of(second)) for first, second in pairs]


def _faces(folder: Path) -> list[Pictures]:
    """The test people of AR, by the first picture of each session; else those of ORL; none without either."""
    if (folder / AR).is_dir():
        records, known = read_ar(folder / AR), ar_split()["test"]
        sessions = ("1", str(AR_SECOND_SESSION))
        records = [record for record in records if record.labels["number"] in sessions]
    elif (folder / ORL).is_dir():
        records, known = read_orl(folder / ORL), orl_split()["test"]
    else:
        return []
    pairs = _pairs((one for one in records if one.subject_id in known), lambda one: one.subject_id)
    return [[(_face(first), _face(second)) for first, second in pairs]]


def _face(record: FaceRecord) -> Picture:
    return Picture("face", record.image)


def _fingers(folder: Path) -> list[Pictures]:
    """Fingers of people of FCJ2020 who test; none without the set."""
    if not (folder / FINGERS).is_dir():
        return []
    pairs = _pairs(read_fcj(folder, FCJ_TEST_PEOPLE), lambda file: file.finger)[:MAX_PEOPLE]
    return [[(_print(a.path, a.dpi), _print(b.path, b.dpi)) for a, b in pairs]]


def _print(path: Path, dpi: int) -> Picture:
    """The set is kept as JPEG 2000, which the service does not read."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise DemoError(f"{path} is not a picture")
    return Picture("fingerprint", png(pixels), dpi=dpi)


def _pairs(captures: Iterable[Capture], key: Callable[[Capture], str]) -> list[tuple[Capture, Capture]]:
    """The first two captures of everybody who has two."""
    found: dict[str, list[Capture]] = defaultdict(list)
    for capture in captures:
        found[key(capture)].append(capture)
    return [(of_one[0], of_one[1]) for of_one in found.values() if len(of_one) > 1]
