"""The constants that shape what an activity network reads, by the version of the preparation.

As of encoders (`ml.runtime.preparation`): golden probabilities decide whether a change needs a new version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ml.runtime.ecg.activity import beat_shape, legibility, movement, rhythm
from ml.runtime.ecg.vector_constants import window_constants
from ml.runtime.preparation import Constants, json_form

MOVEMENT: Final = (
    *("BAND_EDGES_HZ", "N_SLOW_BANDS", "POWER_RESOLUTION", "SIZE_RESOLUTION", "PACE_BAND_HZ", "PACE_LAGS_S"),
    *("MUSCLE_LOW_HZ", "PIECE_S", "N_FFT", "CHANGE_PIECE_S"),
)
RHYTHM: Final = ("REGULAR_LOG_RR", "OUTER_SHARE", "RR_RESOLUTION_S")
BEAT_SHAPE: Final = ("SIZE_RESOLUTION", "LIKENESS_LIMITS", "LOW_SHARE")
LEGIBILITY: Final = ("MAX_MUTE_SHARE",)


def feature_constants() -> Constants:
    """Return those of the strip, of its windows and of the features made by hand."""
    found: dict[str, Any] = window_constants()
    for module, names in (
        (movement, MOVEMENT),
        (rhythm, RHYTHM),
        (beat_shape, BEAT_SHAPE),
        (legibility, LEGIBILITY),
    ):
        place = module.__name__.rpartition(".")[2]
        found |= {f"{place}.{name}": getattr(module, name) for name in names}
    return found


PREPARATIONS: Final[Mapping[int, Callable[[], Constants]]] = {1: feature_constants}


def newest_features() -> dict[str, Any]:
    """Return the fields of `bundle.json` that name the preparation of a new activity bundle."""
    version, constants = max(PREPARATIONS.items())
    return {"preparation_version": version, "preparation_constants": json_form(constants())}
