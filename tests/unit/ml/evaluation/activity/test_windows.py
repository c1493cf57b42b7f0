from pathlib import Path

import numpy as np
import pytest

from ml.data.motion import ACTIVITIES
from ml.evaluation.activity.preprocessing import ActivityPreprocessing
from ml.evaluation.activity.windows import (
    ACTIVITY_GROUPS,
    activity_group_indices,
    activity_windows,
    merge_activities,
    read_activity_windows,
)
from tests.unit.ml.evaluation.activity.motion_sets import noise_record, whole_set


class TestActivityWindows:
    def test_every_window_carries_the_labels_of_its_recording(self) -> None:
        records = whole_set(n_people=2, seconds=9.5)

        found = activity_windows(records)

        assert len(found) == 2 * 5 * 3 * 3
        for index, record in enumerate(records):
            here = found.record == index
            assert {found.people[i] for i in found.person[here]} == {record.person}
            assert {found.activities[i] for i in found.activity[here]} == {record.activity}
            assert {found.electrodes[i] for i in found.electrode[here]} == {record.electrode}
            assert found.records[index] == record.record_id

    def test_windows_follow_each_other(self) -> None:
        found = activity_windows([noise_record(seconds=(12.5,))])

        np.testing.assert_allclose(found.start_s, [0.0, 3.0, 6.0, 9.0])
        np.testing.assert_allclose(found.end_s, [3.0, 6.0, 9.0, 12.0])

    def test_no_window_spans_lost_data(self) -> None:
        found = activity_windows([noise_record(seconds=(7.0, 1.0, 4.0))])

        np.testing.assert_allclose(found.start_s, [0.0, 3.0, 8.0])

    def test_classes_keep_their_order_by_intensity_where_some_are_missing(self) -> None:
        found = activity_windows([noise_record(activity="squats"), noise_record(activity="rest")])

        assert found.activities == ("rest", "squats")

    def test_windows_are_of_the_named_preprocessing(self) -> None:
        record = noise_record()

        spanned = activity_windows([record], ActivityPreprocessing(scaling="window")).windows

        assert np.all(spanned.max(axis=1) == 1.0)
        assert not np.all(activity_windows([record]).windows.max(axis=1) == 1.0)

    def test_recordings_without_a_window_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no recording holds a window of 3 s"):
            activity_windows([noise_record(seconds=(2.0,))])


class TestMergeActivities:
    def test_every_activity_has_a_group_and_only_one(self) -> None:
        assert sorted(name for names in ACTIVITY_GROUPS.values() for name in names) == sorted(ACTIVITIES)

    def test_arms_and_walking_are_light_running_and_squats_vigorous(self) -> None:
        found = activity_windows([noise_record(activity=name, seconds=(3.0,)) for name in ACTIVITIES])

        merged = merge_activities(found)

        assert [merged.activities[i] for i in merged.activity] == [
            "rest",
            "light",
            "light",
            "vigorous",
            "vigorous",
        ]
        assert merged.windows is found.windows

    def test_merged_classes_cannot_be_merged_again(self) -> None:
        with pytest.raises(ValueError, match="got \\['light'"):
            activity_group_indices(tuple(ACTIVITY_GROUPS))


@pytest.mark.real_data
class TestMotionSet:
    def test_ten_people_five_activities_three_electrodes(self, data_dir: Path) -> None:
        found = read_activity_windows(data_dir)

        assert found.windows.shape == (3055, 300)
        assert (len(found.people), len(found.activities), len(found.electrodes)) == (10, 5, 3)
        assert np.all(np.isfinite(found.windows))
        assert (found.windows.min(), found.windows.max()) == (0.0, 1.0)
        # Every person, activity and electrode has its whole minute but for the lost seconds.
        per_record = np.bincount(found.record)
        assert (per_record.min(), per_record.max()) == (19, 22)
