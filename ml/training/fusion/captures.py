"""Captures in folders: `<people>/<person>/{ecg,face,fingerprint}/…`, as a user of the service keeps them.

An ECG is a JSON file with what the HTTP API calls a recording. Faces are JPEG or PNG, fingerprints PNG, BMP
or JPEG; all fingerprints of a person are of one finger.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.encoder import BundledEncoder
from ml.runtime.errors import CaptureError
from ml.training.fusion.people import FusionDataError, Person, Vectors

MODALITIES: Final = ("ecg", "face", "fingerprint")
_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "ecg": (".json",),
    "face": (".jpg", ".jpeg", ".png"),
    "fingerprint": (".png", ".bmp", ".jpg", ".jpeg"),
}
MIN_CAPTURES: Final = 2


class ImageFile(NamedTuple):
    """A picture of a face or a fingerprint, as the preparations read it."""

    image: bytes
    dpi: float | None = None

    def __repr__(self) -> str:
        return f"ImageFile({len(self.image)} bytes)"


def read_people(
    folder: Path,
    encoders: Mapping[str, BundledEncoder],
    *,
    dpi: float | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> list[Person]:
    """Encode the captures of everybody in a folder.

    Args:
        folder: Holds one folder per person.
        encoders: By modality; of each, a person needs two usable captures.
        dpi: Of fingerprints whose files do not say theirs.
        report: Called with each person's name before it is encoded.

    Returns:
        Those who have enough usable captures of every modality, by name.

    Raises:
        FusionDataError: No such folder, or a file that is not what it should be.
    """
    if not folder.is_dir():
        raise FusionDataError(f"there is no folder '{folder}'")
    people = []
    for home in sorted(path for path in folder.iterdir() if path.is_dir()):
        report(home.name)
        vectors = {m: _encoded(home / m, m, encoder, dpi) for m, encoder in encoders.items()}
        if all(found is not None for found in vectors.values()):
            people.append(Person(home.name, {m: found for m, found in vectors.items() if found is not None}))
    return people


def _encoded(folder: Path, modality: str, encoder: BundledEncoder, dpi: float | None) -> Vectors | None:
    """The usable captures of one modality; None if there are too few."""
    rows, quality = [], []
    for path in _files(folder, _SUFFIXES[modality]):
        capture = _ecg(path) if modality == "ecg" else ImageFile(path.read_bytes(), dpi)
        try:
            encoding = encoder.encode(capture)
        except CaptureError:
            continue
        rows.append(encoding.vector)
        quality.append(encoding.evidence.quality)
    return Vectors(np.stack(rows), np.array(quality)) if len(rows) >= MIN_CAPTURES else None


def _files(folder: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes)


def _ecg(path: Path) -> RawEcg:
    try:
        recording: dict[str, Any] = json.loads(path.read_bytes())
        return RawEcg(_samples(recording), float(recording["fs_hz"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FusionDataError(f"{path} is not an ECG recording: {type(error).__name__}") from error


def _samples(recording: Mapping[str, Any]) -> np.ndarray:
    if "signal" in recording:
        return np.asarray(recording["signal"], dtype=np.float32)
    kind = {"int16": "<i2", "float32": "<f4"}[recording["dtype"]]
    return np.frombuffer(base64.b64decode(recording["signal_b64"], validate=True), kind).astype(np.float32)
