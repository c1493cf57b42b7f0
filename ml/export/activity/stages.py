"""Files under `var/activity` through which the stages of an activity bundle pass their results."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.evaluation.activity.timelines import JoinedStrip
from ml.runtime.ecg.activity.features import FEATURE_NAMES
from ml.training.activity.examples import FeatureTable, MotionFeatures

FEATURES_FILE = "features.npz"
TRUNK_FILE = "trunk.onnx"
_COLUMNS = ("features", "mute", "person", "activity", "electrode", "record", "start_s")
_STRIP_ARRAYS = ("features", "mute", "truth")


def save_features(
    folder: Path, trunk: bytes, features: MotionFeatures, strips: Sequence[JoinedStrip]
) -> Path:
    """Save a trunk, and the features of windows and joined strips."""
    arrays: dict[str, Any] = {
        "names": np.array(FEATURE_NAMES),
        "trunk_sha256": np.array(hashlib.sha256(trunk).hexdigest()),
        "people": np.array(features.people),
        "contexts_s": np.array(list(features.tables)),
        "rest": features.rest,
        **{f"elsewhere_{context_s:g}": rows for context_s, rows in features.other_sensor.items()},
        "strips": np.array([(strip.person, strip.electrode) for strip in strips]).reshape(-1, 2),
    }
    for context_s, table in features.tables.items():
        arrays |= {f"table_{context_s:g}_{name}": getattr(table, name) for name in _COLUMNS}
    for number, strip in enumerate(strips):
        arrays |= {f"strip_{number}_{name}": getattr(strip, name) for name in _STRIP_ARRAYS}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FEATURES_FILE
    (folder / TRUNK_FILE).write_bytes(trunk)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def load_features(folder: Path) -> tuple[MotionFeatures, list[JoinedStrip]]:
    """Read what `save_features` wrote.

    Raises:
        FileNotFoundError: Nothing was saved.
        ValueError: Features of other code, or of another trunk than the one beside them.
    """
    trunk_sha256 = hashlib.sha256(load_trunk(folder)).hexdigest()
    with np.load(folder / FEATURES_FILE) as kept:
        same = kept["names"].tolist() == list(FEATURE_NAMES) and "trunk_sha256" in kept
        if not same or kept["trunk_sha256"].item() != trunk_sha256:
            raise ValueError(f"{folder / FEATURES_FILE} holds other features than this code computes")
        tables = {
            float(context_s): FeatureTable(**{name: kept[f"table_{context_s:g}_{name}"] for name in _COLUMNS})
            for context_s in kept["contexts_s"]
        }
        strips = [
            JoinedStrip(
                **{name: kept[f"strip_{number}_{name}"] for name in _STRIP_ARRAYS},
                person=int(person),
                electrode=int(electrode),
            )
            for number, (person, electrode) in enumerate(kept["strips"])
        ]
        other_sensor = {s: kept[f"elsewhere_{s:g}"] for s in tables if f"elsewhere_{s:g}" in kept}
        return MotionFeatures(tables, kept["rest"], tuple(kept["people"].tolist()), other_sensor), strips


def load_trunk(folder: Path) -> bytes:
    """Read the trunk that `save_features` wrote.

    Raises:
        FileNotFoundError: Nothing was saved.
    """
    return (folder / TRUNK_FILE).read_bytes()
