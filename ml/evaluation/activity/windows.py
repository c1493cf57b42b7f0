"""Windows of the motion set with person, activity and electrode, which protocols A1 to A3 divide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ml.data.motion import ACTIVITIES, MotionRecord, read_motion_records
from ml.evaluation.activity.preprocessing import ActivityPreprocessing, preprocess

IntArray = NDArray[np.int64]

# Of the motion set's activities, the closest to rest and exercise in the DT4ECG paper.
ACTIVITY_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"rest": ("rest",), "light": ("arm_movements", "walk_4kmh"), "vigorous": ("run_8kmh", "squats")}
)


@dataclass(frozen=True, eq=False)
class ActivityWindows:
    """Windows and their labels; all arrays have one entry per window.

    Attributes:
        windows: 0 … 1, float32, shape (N, n_samples).
        person: Index into `people`, int64, shape (N,).
        activity: Index into `activities`, likewise.
        electrode: Index into `electrodes`, likewise.
        record: Index into `records`, likewise.
        start_s: Seconds recorded before the window's first sample, float64, shape (N,).
        window_s: Length of a window.
        people: Subject ids, sorted.
        activities: Names by intensity.
        electrodes: Names, sorted.
        records: Record ids in the order given.
    """

    windows: NDArray[np.float32] = field(repr=False)
    person: IntArray = field(repr=False)
    activity: IntArray = field(repr=False)
    electrode: IntArray = field(repr=False)
    record: IntArray = field(repr=False)
    start_s: NDArray[np.float64] = field(repr=False)
    window_s: float
    people: tuple[str, ...]
    activities: tuple[str, ...]
    electrodes: tuple[str, ...]
    records: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def end_s(self) -> NDArray[np.float64]:
        """Seconds recorded up to each window's end."""
        return self.start_s + self.window_s


def read_activity_windows(data: Path, config: ActivityPreprocessing | None = None) -> ActivityWindows:
    """Read and preprocess the whole motion set; takes a few seconds.

    Args:
        data: Holds `ecg/kalouskova_motion`.
        config: As in section II-B of the paper if None.

    Raises:
        DataError: The set is missing.
    """
    return activity_windows(read_motion_records(data), config)


def activity_windows(
    records: Sequence[MotionRecord], config: ActivityPreprocessing | None = None
) -> ActivityWindows:
    """Cut recordings into windows; none spans lost data.

    Raises:
        ValueError: All recordings are shorter than a window.
    """
    config = config or ActivityPreprocessing()
    cut = [_Cut.of(record, config) for record in records]
    counts = [len(one.starts_s) for one in cut]
    if not sum(counts):
        raise ValueError(f"no recording holds a window of {config.window_s:g} s")
    people = tuple(sorted({record.person for record in records}))
    electrodes = tuple(sorted({record.electrode for record in records}))
    activities = tuple(name for name in ACTIVITIES if any(record.activity == name for record in records))

    def column(values: Sequence[int]) -> IntArray:
        return np.repeat(np.asarray(values, dtype=np.int64), counts)

    return ActivityWindows(
        windows=np.concatenate([one.windows for one in cut]),
        person=column([people.index(record.person) for record in records]),
        activity=column([activities.index(record.activity) for record in records]),
        electrode=column([electrodes.index(record.electrode) for record in records]),
        record=column(range(len(records))),
        start_s=np.concatenate([one.starts_s for one in cut]),
        window_s=config.window_s,
        people=people,
        activities=activities,
        electrodes=electrodes,
        records=tuple(record.record_id for record in records),
    )


@dataclass(frozen=True, eq=False)
class _Cut:
    windows: NDArray[np.float32]
    starts_s: NDArray[np.float64]

    @classmethod
    def of(cls, record: MotionRecord, config: ActivityPreprocessing) -> _Cut:
        parts = preprocess([stretch.signal for stretch in record.stretches], record.fs_hz, config)
        starts_s = [
            stretch.start_s + config.window_s * np.arange(len(windows))
            for stretch, windows in zip(record.stretches, parts, strict=True)
        ]
        return cls(np.concatenate(parts), np.concatenate(starts_s))


def merge_activities(windows: ActivityWindows) -> ActivityWindows:
    """Return the same windows with the three classes of `ACTIVITY_GROUPS`.

    Raises:
        ValueError: An activity without a group.
    """
    group_of = activity_group_indices(windows.activities)
    return replace(windows, activity=group_of[windows.activity], activities=tuple(ACTIVITY_GROUPS))


def activity_group_indices(activities: Sequence[str]) -> IntArray:
    """Return the group of each activity as an index into `ACTIVITY_GROUPS`, int64, shape (n_activities,).

    Raises:
        ValueError: An activity without a group.
    """
    groups = {name: index for index, names in enumerate(ACTIVITY_GROUPS.values()) for name in names}
    if unknown := sorted(set(activities) - set(groups)):
        raise ValueError(f"activities: expected some of {sorted(groups)}, got {unknown}")
    return np.array([groups[name] for name in activities], dtype=np.int64)
