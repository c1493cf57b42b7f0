"""Captures of the real people that virtual people are made of: test people of all three modalities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.domain.captures import Capture, EcgStrip, FaceImage, FingerprintImage
from app.domain.references import Modality
from ml.data.face_splits import ar_split
from ml.data.fingerprints import FCJ_TEST_PEOPLE, read_fcj
from ml.data.readers import read_ecg_id

SECOND_SESSION = range(8, 15)
"""AR's images of the second session; the first image of the first session is enrolled."""


@dataclass(frozen=True)
class Source:
    """One real person, or one real finger.

    Args:
        name: In its own set.
        enrolled: What is enrolled.
        probes: Other captures, at least one.
    """

    name: str
    enrolled: Capture
    probes: tuple[Capture, ...]


Sources = Mapping[Modality, Sequence[Source]]


def hearts(data: Path) -> list[Source]:
    """ECG-ID: the first recording of each person is enrolled, the second is a probe."""
    records: dict[str, list[Capture]] = defaultdict(list)
    for record in read_ecg_id(data / "ecg" / "ecg_id"):
        records[record.subject_id].append(EcgStrip(record.signal.astype(np.float32), record.fs_hz))
    return [Source(name, strips[0], (strips[1],)) for name, strips in records.items() if len(strips) > 1]


def faces(data: Path) -> list[Source]:
    """AR's test people: the first image is enrolled, those of the second session are probes."""
    folder = data / "face" / "ar_99"
    return [
        Source(
            name,
            FaceImage((folder / f"{name}_01.png").read_bytes()),
            tuple(FaceImage((folder / f"{name}_{n:02d}.png").read_bytes()) for n in SECOND_SESSION),
        )
        for name in ar_split()["test"]
    ]


def fingers(data: Path) -> list[Source]:
    """FCJ2020 of people 126–150: the first impression of each finger is enrolled, the others are probes."""
    impressions: dict[str, list[Capture]] = defaultdict(list)
    for file in read_fcj(data, FCJ_TEST_PEOPLE):
        impressions[file.finger].append(FingerprintImage(_png(file.path), dpi=file.dpi))
    return [Source(name, found[0], tuple(found[1:])) for name, found in impressions.items() if len(found) > 1]


def _png(path: Path) -> bytes:
    """The set is kept as JPEG 2000, which the service does not read."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None, path.name
    return bytes(cv2.imencode(".png", pixels)[1])
