"""What a bundle is on disk, and the checks that it is what it says.

A bundle is a directory `models/<id>@<version>/` with `bundle.json`, the weights `model.onnx`, the further
files of its kind (a face's `detector.onnx`) and `card.md`. `bundle.json` names the SHA-256 of all others;
anything else in the directory is refused.

There are three families: encoders, which make the vectors that people are compared by; fusion bundles (`kind`
is `fusion`), which make one vector of those of several encoders; and activity bundles (`kind` is `activity`),
which tell what a wearer is doing. They share all but a few fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

BUNDLE_FILE: Final = "bundle.json"
WEIGHTS_FILE: Final = "model.onnx"
CARD_FILE: Final = "card.md"
SCHEMA: Final = 2
ACTIVITY_KIND: Final = "activity"
FUSION_KIND: Final = "fusion"
ENCODE_NOBODY: Final = frozenset({ACTIVITY_KIND, FUSION_KIND})
"""Kinds of bundles that read no capture of a person to be recognized."""
FACE_KIND: Final = "face"
DETECTOR_FILE: Final = "detector.onnx"
FURTHER_FILES: Final[Mapping[str, tuple[str, ...]]] = {FACE_KIND: (DETECTOR_FILE,)}
"""What the bundles of a kind hold beside weights and card."""
METRICS: Final = ("cosine",)
MAX_BUNDLE_BYTES: Final = 20 * 2**20
"""Of each file: bundles lie in git."""
MAX_FETCHED_BYTES: Final = 512 * 2**20
"""Of each file of a kind that is only ever fetched or made on the user's machine, and never enters git."""
_FETCHED_KINDS: Final = frozenset({FACE_KIND})


def preference(encoder_id: str, modality: str) -> tuple[bool, tuple[int, ...], str]:
    """Rank the bundles of one modality: the one that sorts highest is the default.

    The bundle named like the modality comes before variants of it (`ecg` before `ecg-edge`), then the newer
    version; versions are numbers separated by points.
    """
    name, _, version = encoder_id.partition("@")
    numbers = tuple(int(part) if part.isdigit() else -1 for part in version.split("."))
    return name == modality, numbers, encoder_id


class BundleError(Exception):
    """A bundle that must not be served; the message is one line."""


@dataclass(frozen=True)
class BundleInfo:
    """What `bundle.json` says, checked.

    Args:
        id, version: Together the encoder id, `<id>@<version>`.
        kind: Which code can serve it; `ml.runtime.kinds` knows those of encoders.
        modality: Whose captures it reads, such as `ecg`.
        sha256: Of `model.onnx`, the weights.
        files: SHA-256 of every file by name.
        preprocessing: Parameters of the kind's preparation.
        preparation_version: Which version of the preparation made its vectors; see `ml.runtime.preparation`.
        preparation_constants: The constants of that version's chain.
        calibration: Of an encoder the JSON form of `ml.runtime.calibration.llr.Calibration`; of an activity
            bundle what makes its probabilities true.
        calibration_data: People and pairs behind it, and what the mated scores were.
        operating_points: Measured error rates with intervals.
        licence, training_data: Of the weights.
        recipe_sha256, git_revision: What made it.
        card: The text of `card.md`.
        vector_size, metric: Of the templates; an activity bundle makes none.
        one_to_one_only: Whether its scores are too weak to search by: it then verifies and never identifies.
        classes: Activities in the order of all probabilities; an encoder tells none.
        groups: Coarser activities, each with the classes whose probabilities it adds up.
    """

    id: str
    version: str
    kind: str
    modality: str
    sha256: str
    files: Mapping[str, str]
    preprocessing: Mapping[str, Any]
    preparation_version: int
    preparation_constants: Mapping[str, Any]
    calibration: Mapping[str, Any]
    calibration_data: Mapping[str, Any]
    operating_points: tuple[Mapping[str, Any], ...]
    licence: str
    training_data: tuple[str, ...]
    recipe_sha256: str
    git_revision: str
    card: str
    vector_size: int = 0
    metric: str = ""
    one_to_one_only: bool = False
    classes: tuple[str, ...] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def encoder_id(self) -> str:
        """Name that is stored with every reference made by this bundle."""
        return f"{self.id}@{self.version}"


_FIELD_TYPES: Final[Mapping[str, type]] = {
    "schema": int,
    "id": str,
    "version": str,
    "kind": str,
    "modality": str,
    "files": dict,
    "preprocessing": dict,
    "preparation_version": int,
    "preparation_constants": dict,
    "calibration": dict,
    "calibration_data": dict,
    "operating_points": list,
    "licence": str,
    "training_data": list,
    "recipe_sha256": str,
    "git_revision": str,
}
_ENCODER_FIELD_TYPES: Final[Mapping[str, type]] = {**_FIELD_TYPES, "vector_size": int, "metric": str}
_OPTIONAL_FIELD_TYPES: Final[Mapping[str, type]] = {"one_to_one_only": bool}
_ACTIVITY_FIELD_TYPES: Final[Mapping[str, type]] = {**_FIELD_TYPES, "classes": list, "groups": dict}
_TUPLES: Final = frozenset({"operating_points", "training_data", "classes"})


def read_bundle(directory: Path) -> BundleInfo:
    """Read and check a bundle; weights are compared by checksum, not loaded.

    Raises:
        BundleError: Not a bundle, not one this code can serve, or not the bytes it was written with.
    """
    fields = _read_json(directory)
    _check_fields(directory, fields)
    files = {WEIGHTS_FILE, CARD_FILE, *FURTHER_FILES.get(fields["kind"], ())}
    largest = MAX_FETCHED_BYTES if fields["kind"] in _FETCHED_KINDS else MAX_BUNDLE_BYTES
    present = {path.name for path in directory.iterdir()} - {BUNDLE_FILE}
    if present != files or set(fields["files"]) != files:
        _refuse(directory, f"expected the files {sorted(files)}, found {sorted(present)}")
    for name, expected in fields["files"].items():
        if (directory / name).stat().st_size > largest:
            _refuse(directory, f"{name} is larger than {largest} bytes")
        if (actual := hashlib.sha256((directory / name).read_bytes()).hexdigest()) != expected:
            _refuse(directory, f"checksum of {name}: expected {expected}, found {actual}")
    values: dict[str, Any] = {
        name: tuple(value) if name in _TUPLES else value for name, value in fields.items() if name != "schema"
    }
    card = (directory / CARD_FILE).read_text(encoding="utf-8")
    return BundleInfo(**values, sha256=fields["files"][WEIGHTS_FILE], card=card)


def default_bundle(models: Path, modality: str) -> Path:
    """Find the encoder that a service on this folder uses by default.

    Raises:
        BundleError: There is none for the modality, or one of the bundles is damaged.
    """
    bundles = [read_bundle(folder) for folder in sorted(models.glob("*@*")) if folder.is_dir()]
    encoders = [bundle for bundle in bundles if bundle.kind not in ENCODE_NOBODY]
    found = [bundle.encoder_id for bundle in encoders if bundle.modality == modality]
    if not found:
        raise BundleError(f"no bundle <id>@<version> for {modality} in '{models}'")
    return models / max(found, key=lambda encoder_id: preference(encoder_id, modality))


def _read_json(directory: Path) -> dict[str, Any]:
    path = directory / BUNDLE_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        _refuse(directory, f"no {BUNDLE_FILE}")
    except ValueError as error:
        _refuse(directory, f"{BUNDLE_FILE} is not JSON ({type(error).__name__})")
    if not isinstance(fields, dict):
        _refuse(directory, f"{BUNDLE_FILE} is not an object")
    return fields


def _check_fields(directory: Path, fields: Mapping[str, Any]) -> None:
    if fields.get("schema") != SCHEMA:
        _refuse(directory, f"expected schema {SCHEMA}, found {fields.get('schema')!r}")
    kind = fields.get("kind")
    types = _ACTIVITY_FIELD_TYPES if kind == ACTIVITY_KIND else _ENCODER_FIELD_TYPES
    known = {**types, **({} if kind == ACTIVITY_KIND else _OPTIONAL_FIELD_TYPES)}
    if odd := sorted((set(types) - set(fields)) | (set(fields) - set(known))):
        _refuse(directory, f"{BUNDLE_FILE} has missing or unknown fields: {', '.join(odd)}")
    for name, expected in known.items():
        if name in fields and not isinstance(fields[name], expected):
            _refuse(directory, f"{name}: expected {expected.__name__}, found {type(fields[name]).__name__}")
    if kind == ACTIVITY_KIND:
        _check_classes(directory, fields["classes"], fields["groups"])
    elif fields["metric"] not in METRICS:
        _refuse(directory, f"unknown metric {fields['metric']!r}; known: {', '.join(METRICS)}")
    if directory.name != (name := f"{fields['id']}@{fields['version']}"):
        _refuse(directory, f"the directory of {name} must bear its name")


def _check_classes(directory: Path, classes: list[object], groups: Mapping[str, object]) -> None:
    """Names that tell the activities apart; groups that put each of them into one place."""
    if len(classes) < 2 or len(set(map(str, classes))) < len(classes):
        _refuse(directory, f"classes: expected two or more different names, found {classes}")
    if not all(isinstance(name, str) and name for name in classes):
        _refuse(directory, f"classes: expected names, found {classes}")
    grouped = [name for members in groups.values() if isinstance(members, list) for name in members]
    if groups and sorted(map(str, grouped)) != sorted(map(str, classes)):
        _refuse(directory, f"groups: expected each of {classes} once, found {dict(groups)}")


def _refuse(directory: Path, reason: str) -> NoReturn:
    raise BundleError(f"bundle {directory.name}: {reason}")
