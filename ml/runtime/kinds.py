"""Every kind of encoder bundle, and the versions of its preparation that this code has.

A new kind is a folder of its own under `ml/runtime` with a `Preparation`, and one line here. When golden
vectors move on purpose, the new class gets the next number, and the old one stays beside it: templates that
were made with it are compared with captures prepared by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ml.runtime.bundle import FACE_KIND, BundleInfo
from ml.runtime.ecg.beat_preparation import BeatPreparation
from ml.runtime.ecg.strip_preparation import StripPreparation
from ml.runtime.face.lbp_preparation import LbpPreparation
from ml.runtime.face.preparation import FacePreparation
from ml.runtime.fingerprint.preparation import FingerprintPreparation
from ml.runtime.preparation import Preparation, json_form, require_preparation

MEAN_BEAT_KIND: Final = "ecg-mean-beat"
NETWORK_KIND: Final = "ecg-network"
FACE_LBP_KIND: Final = "face-lbp"
FINGERPRINT_KIND: Final = "fingerprint-minutiae"

PREPARATIONS: Final[Mapping[str, Mapping[int, type[Preparation[Any]]]]] = {
    MEAN_BEAT_KIND: {1: BeatPreparation},
    NETWORK_KIND: {1: StripPreparation},
    FACE_KIND: {1: FacePreparation},
    FACE_LBP_KIND: {1: LbpPreparation},
    FINGERPRINT_KIND: {1: FingerprintPreparation},
}


def preparation_of(info: BundleInfo, further: Mapping[str, bytes]) -> Preparation[Any]:
    """Return the preparation that a bundle was made with.

    Args:
        info: Of the bundle.
        further: The further files of its kind, by name.

    Raises:
        ValueError: This code does not have it, or not with these parameters.
    """
    if info.kind not in PREPARATIONS:
        raise ValueError(f"unknown kind {info.kind!r}; this code encodes with {', '.join(PREPARATIONS)}")
    versions = PREPARATIONS[info.kind]
    known = {number: made.constants for number, made in versions.items()}
    require_preparation(info.preparation_version, info.preparation_constants, known)
    preparation = versions[info.preparation_version].opened(info.preprocessing, further)
    if preparation.modality != info.modality:
        raise ValueError(f"modality: expected {preparation.modality!r}, found {info.modality!r}")
    return preparation


def newest_preparation(kind: str) -> dict[str, Any]:
    """Return the fields of `bundle.json` that name the preparation of a new bundle."""
    version, preparation = max(PREPARATIONS[kind].items())
    return {
        "preparation_version": version,
        "preparation_constants": json_form(preparation.constants()),
    }
