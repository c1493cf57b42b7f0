"""The motion set, split where data were lost: per recording one person, activity and kind of electrode.

GPL-3.0: it measures and trains activity; no bundle under another license may learn from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.readers import read_motion
from ml.data.records import DataError, EcgRecord

# By intensity, spelled as in the set; the order of classes everywhere.
ACTIVITIES = ("rest", "arm_movements", "walk_4kmh", "run_8kmh", "squats")
ELECTRODES = ("AgAgCl", "chrome_nickel", "textile")
FOLDER = Path("ecg") / "kalouskova_motion"


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of a recording in which no sample was lost.

    Attributes:
        start_s: Seconds of signal recorded before it. Lost time does not count, so that the true distance
            between stretches may be longer.
        signal: Raw ADC counts, float32, shape (n_samples,).
    """

    start_s: float
    signal: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, eq=False)
class MotionRecord:
    """About a minute of one person in one activity with one kind of electrode.

    Attributes:
        record_id: Unique within the set.
        person: Subject id.
        activity: One of `ACTIVITIES`.
        electrode: One of `ELECTRODES`.
        fs_hz: Sampling rate measured from the time stamps, about 497.5; the nominal one is 500.
        stretches: In order of time.
    """

    record_id: str
    person: str
    activity: str
    electrode: str
    fs_hz: float
    stretches: tuple[Stretch, ...]


def read_motion_records(data: Path) -> list[MotionRecord]:
    """Read the motion set at its native rate, sorted by person and recording.

    Args:
        data: Holds `ecg/kalouskova_motion`.

    Raises:
        DataError: No such folder, or another set in it.

    Source:
        Kalouskova 2024, github.com/kalouskova/DP.
    """
    return motion_records(read_motion(data / FOLDER))


def motion_records(records: Sequence[EcgRecord]) -> list[MotionRecord]:
    """Split recordings of the motion set where data were lost.

    Raises:
        DataError: An activity or electrode that the set does not have.
    """
    return [_motion_record(record) for record in records]


def _motion_record(record: EcgRecord) -> MotionRecord:
    activity, electrode = str(record.labels["activity"]), str(record.labels["electrode"])
    if activity not in ACTIVITIES or electrode not in ELECTRODES:
        raise DataError(
            f"{record.record_id}: expected one of {ACTIVITIES} with one of {ELECTRODES}, "
            f"found {activity} with {electrode}"
        )
    return MotionRecord(
        record.record_id, record.subject_id, activity, electrode, record.fs_hz, _stretches(record)
    )


def _stretches(record: EcgRecord) -> tuple[Stretch, ...]:
    gaps = np.asarray(record.labels["gap_samples"], dtype=np.int64)
    # The set does not state on which side of the named sample data are missing: it belongs to neither part.
    starts, ends = [0, *(gaps + 1).tolist()], [*gaps.tolist(), record.signal.size]
    return tuple(
        Stretch(start / record.fs_hz, record.signal[start:end])
        for start, end in zip(starts, ends, strict=True)
        if end > start
    )
