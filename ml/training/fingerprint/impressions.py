"""Pictures → minutiae, kept between runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.fingerprints import FingerprintFile
from ml.runtime.errors import CaptureError
from ml.runtime.fingerprint.comparison.detail import WrittenDetail
from ml.runtime.fingerprint.extraction.extractor import extract
from ml.runtime.fingerprint.minutiae import Minutiae
from ml.runtime.fingerprint.preparation import FingerprintPreparation, written_detail
from ml.runtime.preparation import json_form
from ml.synthetic.fingerprint import ComputedFinger

COMPUTED_CONDITIONS = ("good", "normal", "normal", "poor")
FIRST_OF_CROWD = 100_000
"""Seed of the first computed finger that is only searched among."""


@dataclass(frozen=True, eq=False, repr=False)
class TrainingPrint:
    """One impression of a known finger.

    Args:
        person, finger: Unique over all sets.
        impression: From 1.
        written: None where the picture was refused.
        quality: 0 to 1; 0 where it was refused.
    """

    person: str
    finger: str
    impression: int
    written: WrittenDetail | None
    quality: float


@dataclass(frozen=True, eq=False, repr=False)
class _Picture:
    person: str
    finger: str
    impression: int
    dpi: int
    pixels: NDArray[np.uint8]


def extract_files(name: str, files: Iterable[FingerprintFile], cache: Path) -> list[TrainingPrint]:
    """Extract the pictures of a set.

    Args:
        name: Of the set, for the cache.
        files: Its pictures.
        cache: Folder for what is extracted.
    """
    return _extracted(name, map(_read, files), cache)


def extract_computed(fingers: int, cache: Path) -> list[TrainingPrint]:
    """Compute fingers and extract some impressions of each, in several conditions and on several sensors."""
    return _extracted(f"computed-{fingers}", _computed(range(fingers), COMPUTED_CONDITIONS), cache)


def extract_computed_crowd(fingers: int, cache: Path) -> list[TrainingPrint]:
    """Compute one impression each of fingers that nothing was fitted to, and extract them."""
    seeds = range(FIRST_OF_CROWD, FIRST_OF_CROWD + fingers)
    return _extracted(f"computed-crowd-{fingers}", _computed(seeds, ("normal",)), cache)


def _read(file: FingerprintFile) -> _Picture:
    # JPEG 2000 too, which the service refuses.
    pixels = np.asarray(cv2.imread(str(file.path), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return _Picture(file.person, file.finger, file.impression, file.dpi, pixels)


def _computed(seeds: Iterable[int], conditions: Sequence[str]) -> Iterator[_Picture]:
    for seed in seeds:
        finger = ComputedFinger.draw(seed)
        for number, quality in enumerate(conditions):
            pressed = finger.impression(number, quality=quality)
            label = f"computed/{seed}"
            yield _Picture(label, label, number + 1, pressed.dpi, pressed.image)


def _extracted(name: str, pictures: Iterable[_Picture], cache: Path) -> list[TrainingPrint]:
    path = cache / f"{name.replace('/', '-')}-{_chain_digest()}.npz"
    if not path.is_file():
        _keep(path, pictures)
    with np.load(path, allow_pickle=False) as kept:
        columns = {key: kept[key] for key in kept.files}
    ends = np.cumsum(columns["count"])
    return [_print(columns, row, slice(end - columns["count"][row], end)) for row, end in enumerate(ends)]


def _keep(path: Path, pictures: Iterable[_Picture]) -> None:
    rows, minutiae = [], []
    for picture in pictures:
        try:
            impression = extract(picture.pixels, float(picture.dpi))
        except CaptureError:
            rows.append((picture, 0, 0.0))
            continue
        found = impression.minutiae
        minutiae.append(np.column_stack([found.xy, found.direction, found.quality]))
        rows.append((picture, len(found), impression.quality))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        person=np.array([picture.person for picture, _, _ in rows]),
        finger=np.array([picture.finger for picture, _, _ in rows]),
        impression=np.array([picture.impression for picture, _, _ in rows]),
        dpi=np.array([picture.dpi for picture, _, _ in rows]),
        count=np.array([count for _, count, _ in rows]),
        quality=np.array([quality for _, _, quality in rows]),
        minutiae=np.concatenate(minutiae).astype(np.float32),
    )


def _print(columns: dict[str, NDArray[Any]], row: int, part: slice) -> TrainingPrint:
    quality = float(columns["quality"][row])
    written = _written(columns["minutiae"][part].astype(np.float32), float(columns["dpi"][row]), quality)
    return TrainingPrint(
        str(columns["person"][row]),
        str(columns["finger"][row]),
        int(columns["impression"][row]),
        written,
        quality if written else 0.0,
    )


def _written(found: NDArray[np.float32], dpi: float, quality: float) -> WrittenDetail | None:
    """None where the picture was refused, or would be for minutiae that lie too scattered."""
    if not len(found):
        return None
    try:
        return written_detail(Minutiae(found[:, :2], found[:, 2], found[:, 3]), dpi, quality)
    except CaptureError:
        return None


def _chain_digest() -> str:
    constants = json_form(FingerprintPreparation.constants())
    text = json.dumps({k: v for k, v in constants.items() if k.startswith("extraction.")}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
