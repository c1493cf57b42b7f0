"""People of a folder as `ml.cli fusion train` reads it: `<person>/{ecg,face,fingerprint}/…`."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.demo.people import MAX_PEOPLE, Cast, Person, divided
from app.demo.recordings import LONGEST_STRIP_S, Picture, Recording, Strip
from app.demo.server import DemoError
from ml.runtime.image.errors import ImageError
from ml.runtime.image.opening import open_image

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "ecg": (".json",),
    "face": (".jpg", ".jpeg", ".png"),
    "fingerprint": (".png", ".bmp", ".jpg", ".jpeg"),
}
USUAL_DPI = 500
# What one request may enroll is limited; more captures than this add little.
MOST_ENROLLED = 4


def holds_captures(folder: Path) -> bool:
    """Whether a folder looks like one of captures: somebody in it has a folder named after a modality."""
    return any((folder / name / modality).is_dir() for name in _names(folder) for modality in SUFFIXES)


def captured_cast(folder: Path) -> Cast:
    """Everybody with two captures of each modality that the folder holds: the last is the probe.

    Raises:
        DemoError: Fewer than two such people, or a file that is no recording.
    """
    files = {name: _files(folder / name) for name in _names(folder)}
    modalities = [m for m in SUFFIXES if any(m in of_person for of_person in files.values())]
    whole = [name for name, of_person in files.items() if all(m in of_person for m in modalities)]
    if len(whole) < 2:
        raise DemoError(
            f"{folder}: expected two captures of each of {', '.join(modalities) or 'ecg, face, fingerprint'} "
            f"for at least two people, found {len(whole)}"
        )
    people = [_person(name, files[name]) for name in whole[:MAX_PEOPLE]]
    members, strangers = divided(people)
    return Cast(
        about=f"{len(people)} of the {len(files)} people in {folder} have two captures of each of "
        f"{', '.join(modalities)}. {len(members)} are enrolled by up to {MOST_ENROLLED} of each and "
        f"recognized by the last; {len(strangers)} are strangers, never enrolled.",
        members=members,
        strangers=strangers,
        strangers_join=False,
        caution="Captures of one day or one sitting look more alike than those of different days. "
        f"Fingerprints whose files do not say their resolution are taken for {USUAL_DPI} dpi.",
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _files(home: Path) -> dict[str, list[Path]]:
    """By modality, where there are two or more."""
    found = {
        modality: sorted(path for path in (home / modality).rglob("*") if path.suffix.lower() in suffixes)
        for modality, suffixes in SUFFIXES.items()
    }
    return {modality: paths for modality, paths in found.items() if len(paths) > 1}


def _person(name: str, files: Mapping[str, Sequence[Path]]) -> Person:
    enrolled = [path for paths in files.values() for path in paths[:-1][:MOST_ENROLLED]]
    modality_of = {path: modality for modality, paths in files.items() for path in paths}
    probes = {modality: paths[-1] for modality, paths in files.items()}
    return Person(
        name,
        tuple(_recording(modality_of[path], path) for path in enrolled),
        _strip(probes["ecg"]) if "ecg" in probes else None,
        tuple(_picture(modality, path) for modality, path in probes.items() if modality != "ecg"),
    )


def _recording(modality: str, path: Path) -> Recording:
    return _strip(path) if modality == "ecg" else _picture(modality, path)


def _strip(path: Path) -> Strip:
    """The beginning of what the API calls a recording."""
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        fs_hz = float(body["fs_hz"])
        samples = _samples(body)[: round(LONGEST_STRIP_S * fs_hz)]
    except (KeyError, TypeError, ValueError) as error:
        raise DemoError(f"{path} is not an ECG recording: {type(error).__name__}") from error
    signal = [round(float(value), 4) for value in samples]
    return Strip(fs_hz, signal, unit=body.get("unit", "raw"), lead=body.get("lead", "unknown"))


def _samples(body: Mapping[str, Any]) -> np.ndarray:
    if "signal" in body:
        return np.asarray(body["signal"], dtype=np.float32)
    kind = {"int16": "<i2", "float32": "<f4"}[body["dtype"]]
    return np.frombuffer(b64decode(body["signal_b64"], validate=True), kind)


def _picture(modality: str, path: Path) -> Picture:
    image = path.read_bytes()
    return Picture(modality, image, dpi=_missing_dpi(image) if modality == "fingerprint" else None)


def _missing_dpi(image: bytes) -> int | None:
    """What to state for a file that does not say its own; the service refuses one that cannot be read."""
    try:
        return USUAL_DPI if open_image(image).header.dpi is None else None
    except ImageError:
        return None
