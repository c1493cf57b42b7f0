"""Training windows of activity heads: raw strips as long as a context, each conditioned by itself.

A service receives strips as short as these, not pieces of a strip that was filtered whole. The motion set is
GPL-3.0: only an activity bundle may be fitted to it. People at rest with another sensor (CinC 2017, train
people) are added; they show which differences come from the sensor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.motion import ACTIVITIES, ELECTRODES, MotionRecord
from ml.data.readers import read_cinc2017
from ml.data.records import EcgRecord
from ml.data.splits import cinc_split
from ml.runtime.ecg.activity.features import FEATURE_NAMES, window_features
from ml.runtime.ecg.activity.legibility import is_mute
from ml.runtime.ecg.activity.segments import duration_s
from ml.runtime.ecg.activity.trunk import Trunk
from ml.runtime.ecg.signal.conditioning import examine
from ml.runtime.ecg.signal.errors import SignalError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STEP_S = 3.0
# The part of a resting strip that serves as baseline, and is then not evaluated.
OWN_REST_S = 20.0
REST = ACTIVITIES.index("rest")
# People at rest with another sensor, chosen at random; only their mean is used.
OTHER_SENSOR = Path("ecg") / "cinc2017_af"
N_OTHER_PEOPLE = 300


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Windows of one length; all arrays have one entry per window.

    Attributes:
        features: As in `ml.training.activity.inputs`, float64, shape (n, n_features).
        mute: Whether a window is unreadable, bool, shape (n,).
        person: Index into `MotionFeatures.people`, int64, shape (n,).
        activity: Index into `ml.data.motion.ACTIVITIES`, likewise.
        electrode: Index into `ml.data.motion.ELECTRODES`, likewise.
        record: Number of the recording, likewise.
        start_s: Start of the window in its recording, seconds, float64, shape (n,).
    """

    features: FloatArray = field(repr=False)
    mute: NDArray[np.bool_] = field(repr=False)
    person: IntArray = field(repr=False)
    activity: IntArray = field(repr=False)
    electrode: IntArray = field(repr=False)
    record: IntArray = field(repr=False)
    start_s: FloatArray = field(repr=False)

    @property
    def in_own_rest(self) -> NDArray[np.bool_]:
        """Windows that overlap the seconds of the resting baseline."""
        # A millisecond of tolerance: starts are sums of inexact numbers.
        return np.asarray((self.activity == REST) & (self.start_s < OWN_REST_S - 1e-3))


@dataclass(frozen=True, eq=False)
class MotionFeatures:
    """Features of the whole set.

    Attributes:
        tables: By window length in seconds.
        rest: Resting baselines, from the first `OWN_REST_S` of each rest strip, float64, shape (n_people,
            n_electrodes, n_features); NaN where there is none.
        people: Subject ids, sorted.
        other_sensor: Features of other people at rest with another sensor, by window length, float64, shape
            (n_windows, n_features); may be empty.
    """

    tables: dict[float, FeatureTable]
    rest: FloatArray = field(repr=False)
    people: tuple[str, ...]
    other_sensor: dict[float, FloatArray] = field(default_factory=dict, repr=False)

    def own_rest(self, table: FeatureTable) -> FloatArray:
        """Return each window's baseline with the same electrode, float64, shape (n, n_features)."""
        return np.asarray(self.rest[table.person, table.electrode])


def motion_features(
    records: Sequence[MotionRecord], contexts_s: Sequence[float], trunk: Trunk, step_s: float = STEP_S
) -> MotionFeatures:
    """Compute the features of windows of recordings.

    Args:
        records: Of the motion set.
        contexts_s: Lengths of windows.
        trunk: Adds its features to the hand-crafted ones.
        step_s: Distance between the starts of windows.
    """
    people = tuple(sorted({record.person for record in records}))
    how = step_s, trunk
    tables = {context_s: _table(list(_rows(records, people, context_s, how))) for context_s in contexts_s}
    rest = np.full((len(people), len(ELECTRODES), len(FEATURE_NAMES) + trunk.size), np.nan)
    for record in records:
        if record.activity == ACTIVITIES[REST]:
            place = people.index(record.person), ELECTRODES.index(record.electrode)
            rest[place] = describe(own_rest_signal(record), record.fs_hz, trunk)[0]
    return MotionFeatures(tables, rest, people)


def read_resting_other_sensor(data: Path) -> list[EcgRecord]:
    """Read recordings of a random sample of CinC 2017 train people, who hold the device at rest.

    Args:
        data: Holds `ecg/cinc2017_af`.

    Raises:
        DataError: The set is missing.
    """
    people = np.random.default_rng(0).choice(cinc_split()["train"], N_OTHER_PEOPLE, replace=False)
    return read_cinc2017(data / OTHER_SENSOR, sorted(people.tolist()))


def resting_other_sensor(
    records: Sequence[EcgRecord], contexts_s: Sequence[float], trunk: Trunk
) -> dict[float, FloatArray]:
    """Compute the features of the middle of each recording that is long enough and readable.

    A hand-held device settles during its first seconds, which would shift the mean.

    Args:
        records: Of people at rest.
        contexts_s: Lengths of windows.
        trunk: As in `motion_features`.

    Returns:
        By length, float64, shape (n, n_features).
    """
    return {context_s: np.array(list(_middle_windows(records, context_s, trunk))) for context_s in contexts_s}


def _middle_windows(records: Sequence[EcgRecord], context_s: float, trunk: Trunk) -> Iterator[FloatArray]:
    for record in records:
        length = int(np.ceil(context_s * record.fs_hz))
        first = (record.signal.size - length) // 2
        if first >= 0:
            features, mute = describe(record.signal[first : first + length], record.fs_hz, trunk)
            if not mute:
                yield features


def own_rest_signal(record: MotionRecord) -> NDArray[np.float32]:
    """Return the longest part without lost data of the first `OWN_REST_S` of a rest strip."""
    parts = [
        stretch.signal[: max(0, round((OWN_REST_S - stretch.start_s) * record.fs_hz))]
        for stretch in record.stretches
    ]
    return max(parts, key=len)


def describe(signal: NDArray[np.float32], fs_hz: float, trunk: Trunk) -> tuple[FloatArray, bool]:
    """Compute the features of a raw strip, and whether it is unreadable."""
    try:
        strip = examine(signal, fs_hz)
    except SignalError:
        return np.full(len(FEATURE_NAMES) + trunk.size, np.nan), True
    end_s = duration_s(strip)
    by_hand = window_features(strip, 0.0, end_s)
    [of_trunk] = trunk.features(strip, np.zeros(1), end_s)
    return np.concatenate([by_hand, of_trunk]), is_mute(strip.quality, 0.0, end_s)


@dataclass(frozen=True, eq=False)
class _Row:
    features: FloatArray
    mute: bool
    labels: tuple[int, int, int, int]
    start_s: float


def _rows(
    records: Sequence[MotionRecord], people: Sequence[str], context_s: float, how: tuple[float, Trunk]
) -> Iterator[_Row]:
    step_s, trunk = how
    for number, record in enumerate(records):
        labels = (
            people.index(record.person),
            ACTIVITIES.index(record.activity),
            ELECTRODES.index(record.electrode),
            number,
        )
        for start_s, piece in _pieces(record, context_s, step_s):
            features, mute = describe(piece, record.fs_hz, trunk)
            yield _Row(features, mute, labels, start_s)


def _pieces(
    record: MotionRecord, context_s: float, step_s: float
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Windows without lost data, each with its start in seconds."""
    length = int(np.ceil(context_s * record.fs_hz))
    for stretch in record.stretches:
        for k in range(1 + int((stretch.signal.size - length) / (step_s * record.fs_hz))):
            first = round(k * step_s * record.fs_hz)
            if first + length <= stretch.signal.size:
                yield stretch.start_s + k * step_s, stretch.signal[first : first + length]


def _table(rows: Sequence[_Row]) -> FeatureTable:
    labels = np.array([row.labels for row in rows], dtype=np.int64).reshape(-1, 4)
    person, activity, electrode, record = labels.T
    return FeatureTable(
        features=np.array([row.features for row in rows]),
        mute=np.array([row.mute for row in rows], dtype=np.bool_),
        person=person,
        activity=activity,
        electrode=electrode,
        record=record,
        start_s=np.array([row.start_s for row in rows]),
    )
