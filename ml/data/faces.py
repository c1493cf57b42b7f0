"""Readers of the face image sets; none of them is ever committed or trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ml.data.records import DataError

AR_IMAGES: Final = 14
AR_SECOND_SESSION: Final = 8
"""Images 1 to 7 are of the first session, 8 to 14 of the second, two weeks later."""


@dataclass(frozen=True)
class FaceRecord:
    """One picture of one person.

    Attributes:
        record_id: Unique within its set.
        subject_id: Pictures with the same value show the same person.
        path: PNG or JPEG.
        labels: What the set says of it: `number`, `session`, `sex`, `condition`, `pose`, `expression`,
            `eyes`.
    """

    record_id: str
    subject_id: str
    path: Path = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def image(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


def read_orl(folder: Path) -> list[FaceRecord]:
    """Read ORL: 40 people, ten pictures each, grey; no sex."""
    return [
        FaceRecord(f"{path.parent.name}/{path.stem}", path.parent.name, path, {"number": path.stem})
        for path in _files(folder, "*/*.png")
    ]


def read_ar(folder: Path) -> list[FaceRecord]:
    """Read AR (99 people): two sessions of seven pictures each, grey, cropped to 43×60 and aligned."""
    return list(_ar(folder))


def _ar(folder: Path) -> Iterator[FaceRecord]:
    for path in _files(folder, "*_*.png"):
        subject, number = path.stem.split("_")
        session = "2" if int(number) >= AR_SECOND_SESSION else "1"
        labels = {"number": str(int(number)), "session": session, "sex": subject[0]}
        yield FaceRecord(path.stem, subject, path, labels)


def read_yale(folder: Path) -> list[FaceRecord]:
    """Read Yale: 15 people, eleven conditions, grey; people with identical `normal` and glasses are known."""
    return [
        FaceRecord(path.stem, path.stem.split(".")[0], path, {"condition": path.stem.split(".")[1]})
        for path in _files(folder, "subject*.jpg")
    ]


def read_cmu(folder: Path) -> list[FaceRecord]:
    """Read CMU (half size): 20 people, four directions of the head, four expressions, sunglasses or none."""
    found = []
    for path in _files(folder, "*/*.png"):
        parts = re.fullmatch(r"(.+)_(forward|left|right|up)_(.+)_(eyes|sunglasses)", path.stem)
        if parts is None:
            raise DataError(f"{path}: expected person_pose_expression_eyes")
        _, pose, expression, eyes = parts.groups()
        labels = {"pose": pose, "expression": expression, "eyes": eyes}
        found.append(FaceRecord(path.stem, path.parent.name, path, labels))
    return found


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise DataError(f"{folder}: expected pictures {pattern}, found none")
    return found
