"""The constants that shape vectors, named in every bundle (`preparation_constants`) beside the version.

They guard what the golden vectors of the tests cannot: code that was changed where it is deployed. The lists
belong to version 1. A constant that is only given a name later need not join them.
"""

from __future__ import annotations

from typing import Any, Final

from ml.runtime.ecg import mean_beat
from ml.runtime.ecg.signal import constants, windows

FILTERS: Final = (
    *("WORKING_FS_HZ", "BAND_LOW_HZ", "BAND_HIGH_HZ", "BAND_ORDER", "MAINS_HZ", "NOTCH_Q"),
    *("NOTCH_MAX_SHARE_OF_FS", "MAX_RATIO_DENOMINATOR"),
)
QRS: Final = (
    *("QRS_BAND_HZ", "SHARP_BAND_HZ", "QRS_BAND_WEIGHT", "QRS_ENERGY_S", "SHARP_ENERGY_S", "SHARP_REACH_S"),
    *("LEVEL_BLOCK_S", "LEVEL_SPAN_S", "LEVEL_STEP_S", "LEVEL_FLOOR", "LEVEL_FLOOR_OF_LARGEST"),
    *("NOISE_PERCENTILE", "NOISE_SPAN_S", "NOISE_STEP_S", "NOISE_WEIGHT", "NOISE_MAX_SHARE"),
    *("REFRACTORY_S", "CANDIDATE_FLOOR", "EDGE_S", "BEAT_THRESHOLD", "GIANT_HEIGHT", "GIANT_PENALTY"),
    *("T_WAVE_END_S", "T_WAVE_MAX_SHARPNESS", "T_WAVE_PENALTY_PER_S", "RHYTHM_PENALTY", "RHYTHM_PENALTY_CAP"),
    *("USUAL_RR_BEATS", "PATH_REACH", "REFINE_LOW_HZ", "REFINE_REACH_S", "POLARITY_BEATS", "POLARITY_FLIP"),
)
QUALITY: Final = (
    *("SEGMENT_S", "FLAT_RUN_S", "RAIL_RUN_S", "RAIL_MIN_DISTANCE", "MAX_LOST_SHARE"),
    *("BEAT_BEFORE_S", "BEAT_AFTER_S", "QRS_HALF_S", "TEMPLATE_BEATS", "OUTLIER_MARGIN", "OUTLIER_SIZES"),
    *("MIN_BEAT_SHARE", "LIKENESS_LOW_HZ", "LIKENESS_WEIGHT", "NO_HEARTBEAT_EVIDENCE", "MIN_EVIDENCE"),
    *("QRS_REACH_S", "STEP_SPAN_S", "MAX_STEP", "SMALLEST_UNLIKENESS"),
)
MEAN_BEAT: Final = (
    *("FIDUCIAL_REACH_S", "ALIGN_BEFORE_S", "ALIGN_AFTER_S", "CENTROID_REACHES_S", "REWEIGHTING_ROUNDS"),
    "EQUAL_BEATS",
)


def signal_constants() -> dict[str, Any]:
    """Return those of the conditioned strip: filters, beats, accepted segments."""
    return _named(constants, FILTERS + QRS + QUALITY)


def beat_constants() -> dict[str, Any]:
    """Return those of the mean beat of a conditioned strip."""
    return signal_constants() | _named(mean_beat, MEAN_BEAT)


def window_constants() -> dict[str, Any]:
    """Return those of windows of a conditioned strip."""
    return signal_constants() | _named(windows, ("CLIP_RMS",))


def strip_constants() -> dict[str, Any]:
    """Return those of windows and mean beat."""
    return beat_constants() | window_constants()


def _named(module: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names}
