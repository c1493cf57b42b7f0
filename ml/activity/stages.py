"""What the stages of an activity bundle hand on through files under `var/activity`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.activity.examples import FeatureTable, MotionFeatures
from ml.activity.features import FEATURE_NAMES
from ml.evaluation.activity_timelines import JoinedStrip

FEATURES_FILE = "features.npz"
_COLUMNS = ("features", "mute", "person", "activity", "electrode", "record", "start_s")
_STRIP_ARRAYS = ("features", "mute", "truth")


def save_features(folder: Path, features: MotionFeatures, strips: Sequence[JoinedStrip]) -> Path:
    """Keep features of windows and of joined strips."""
    arrays: dict[str, Any] = {
        "names": np.array(FEATURE_NAMES),
        "people": np.array(features.people),
        "contexts_s": np.array(list(features.tables)),
        "rest": features.rest,
        **{f"elsewhere_{context_s:g}": rows for context_s, rows in features.elsewhere.items()},
        "strips": np.array([(strip.person, strip.electrode) for strip in strips]).reshape(-1, 2),
    }
    for context_s, table in features.tables.items():
        arrays |= {f"table_{context_s:g}_{name}": getattr(table, name) for name in _COLUMNS}
    for number, strip in enumerate(strips):
        arrays |= {f"strip_{number}_{name}": getattr(strip, name) for name in _STRIP_ARRAYS}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FEATURES_FILE
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def load_features(folder: Path) -> tuple[MotionFeatures, list[JoinedStrip]]:
    """Read what `save_features` kept.

    Raises:
        FileNotFoundError: Nothing was kept.
        ValueError: Features of other code.
    """
    with np.load(folder / FEATURES_FILE) as kept:
        if kept["names"].tolist() != list(FEATURE_NAMES):
            raise ValueError(f"{folder / FEATURES_FILE} holds other features than this code makes")
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
        elsewhere = {s: kept[f"elsewhere_{s:g}"] for s in tables if f"elsewhere_{s:g}" in kept}
        return MotionFeatures(tables, kept["rest"], tuple(kept["people"].tolist()), elsewhere), strips
