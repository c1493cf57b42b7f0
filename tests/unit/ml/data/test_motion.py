from pathlib import Path

import numpy as np
import pytest

from ml.data.motion import ACTIVITIES, ELECTRODES, motion_records, read_motion_records
from ml.data.records import DataError, EcgRecord


def raw(*, gaps: tuple[int, ...] = (), activity: str = "rest", electrode: str = "textile") -> EcgRecord:
    return EcgRecord(
        "r",
        "kal_01",
        100.0,
        np.arange(1000, dtype=np.float32),
        labels={"activity": activity, "electrode": electrode, "gap_samples": np.array(gaps, dtype=np.int64)},
    )


class TestMotionRecords:
    def test_without_lost_data_there_is_one_stretch(self) -> None:
        (found,) = motion_records([raw()])

        (stretch,) = found.stretches
        assert stretch.start_s == 0.0
        np.testing.assert_array_equal(stretch.signal, np.arange(1000))

    def test_lost_data_part_a_recording_and_the_sample_named_is_in_neither(self) -> None:
        (found,) = motion_records([raw(gaps=(300, 700))])

        assert [(s.start_s, s.signal[0], s.signal[-1]) for s in found.stretches] == [
            (0.0, 0.0, 299.0),
            (3.01, 301.0, 699.0),
            (7.01, 701.0, 999.0),
        ]

    def test_nothing_is_left_of_a_part_without_samples(self) -> None:
        (found,) = motion_records([raw(gaps=(0, 999))])

        assert [(s.signal[0], s.signal[-1]) for s in found.stretches] == [(1.0, 998.0)]

    def test_unknown_names_are_refused(self) -> None:
        with pytest.raises(DataError, match="dancing"):
            motion_records([raw(activity="dancing")])
        with pytest.raises(DataError, match="gold"):
            motion_records([raw(electrode="gold")])


@pytest.mark.real_data
class TestMotionSet:
    def test_every_person_does_everything_with_every_electrode_once(self, data_dir: Path) -> None:
        found = read_motion_records(data_dir)

        people = sorted({record.person for record in found})
        assert len(people) == 10
        assert sorted((r.person, r.activity, r.electrode) for r in found) == sorted(
            (person, activity, electrode)
            for person in people
            for activity in ACTIVITIES
            for electrode in ELECTRODES
        )

    def test_rates_are_the_measured_ones_and_four_recordings_lost_data(self, data_dir: Path) -> None:
        found = read_motion_records(data_dir)

        assert all(495.0 < record.fs_hz < 499.5 for record in found)
        assert sorted(r.record_id for r in found if len(r.stretches) > 1) == [
            "05_02_beh",
            "06_01_chodza",
            "10_01_klud",
            "10_03_drepy",
        ]
