from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.data.motion import Stretch
from ml.evaluation.activity.preprocessing import ActivityPreprocessing
from ml.evaluation.activity.splits import PROTOCOLS, Split, splits
from ml.evaluation.activity.windows import ActivityWindows, activity_windows, read_activity_windows
from tests.unit.ml.evaluation.activity.motion_sets import noise_record, whole_set


@pytest.fixture(scope="module")
def windows() -> ActivityWindows:
    return activity_windows(whole_set())


def least_distance_s(split: Split, windows: ActivityWindows) -> float:
    """Of a training and a test window of one recording, from the end of one to the start of the other."""
    least_s = np.inf
    for record in np.unique(windows.record):
        train = split.train[windows.record[split.train] == record]
        test = split.test[windows.record[split.test] == record]
        for start_s, end_s in zip(windows.start_s[test], windows.end_s[test], strict=True):
            apart_s = np.maximum(start_s - windows.end_s[train], windows.start_s[train] - end_s)
            least_s = min(least_s, float(apart_s.min(initial=np.inf)))
    return least_s


def assert_no_leak(protocol: str, windows: ActivityWindows) -> None:
    for split in splits(protocol, windows):
        trained, tested = split.train, split.test
        assert not set(trained) & set(tested)
        if protocol == "A2":
            assert least_distance_s(split, windows) >= 6.0 - 1e-6
        if protocol == "A2e":
            assert not set(windows.electrode[trained]) & set(windows.electrode[tested])
            assert not set(windows.record[trained]) & set(windows.record[tested])
        if protocol == "A3":
            assert not set(windows.person[trained]) & set(windows.person[tested])
            assert not set(windows.record[trained]) & set(windows.record[tested])


class TestSplits:
    @pytest.mark.parametrize("protocol", ["A1", "A2", "A2e", "A3"])
    def test_training_and_test_windows_are_disjoint(self, protocol: str, windows: ActivityWindows) -> None:
        assert_no_leak(protocol, windows)

    def test_a1_divides_all_windows_seven_to_three_by_its_seed(self, windows: ActivityWindows) -> None:
        (split,) = splits("A1", windows, seed=1)
        (again,) = splits("A1", windows, seed=1)
        (other,) = splits("A1", windows, seed=2)

        assert sorted([*split.train, *split.test]) == list(range(len(windows)))
        assert split.train.size / len(windows) == pytest.approx(0.7, abs=1e-3)
        np.testing.assert_array_equal(split.train, again.train)
        assert not np.array_equal(split.train, other.train)

    def test_a1_is_marked_as_leaky(self, windows: ActivityWindows) -> None:
        (split,) = splits("A1", windows)

        assert least_distance_s(split, windows) == 0.0
        assert split.protocol.leaky
        assert "leaky" in split.protocol.title

    def test_no_other_protocol_is_called_leaky(self) -> None:
        assert [protocol.name for protocol in PROTOCOLS.values() if protocol.leaky] == ["A1"]

    def test_a2_trains_on_the_first_39_s_and_asks_from_45_s_on(self) -> None:
        found = activity_windows([noise_record(seconds=(62.0,))])

        (split,) = splits("A2", found)

        np.testing.assert_allclose(found.end_s[split.train], np.arange(3.0, 40.0, 3.0))
        np.testing.assert_allclose(found.start_s[split.test], [45.0, 48.0, 51.0, 54.0, 57.0])

    def test_a2_guards_where_windows_do_not_lie_on_whole_threes(self) -> None:
        found = activity_windows([noise_record(seconds=(4.0, 34.5, 3.5, 30.0))])

        (split,) = splits("A2", found)

        assert found.end_s[split.train].max() <= 39.0
        assert found.start_s[split.test].min() >= 45.0

    def test_a2_guards_training_against_filtered_test_samples(self) -> None:
        record = noise_record(seconds=(62.0,))
        other_end = np.array(record.stretches[0].signal)
        other_end[round(45.0 * record.fs_hz) :] *= -3.0
        config = ActivityPreprocessing(scaling="window")

        found = activity_windows([record], config)
        changed = activity_windows([replace(record, stretches=(Stretch(0.0, other_end),))], config)

        (split,) = splits("A2", found)
        np.testing.assert_allclose(
            changed.windows[split.train], found.windows[split.train], rtol=0.0, atol=1e-4
        )
        assert np.abs(changed.windows[split.test] - found.windows[split.test]).max() > 0.1

    def test_a2e_asks_every_electrode_once(self, windows: ActivityWindows) -> None:
        found = splits("A2e", windows)

        assert [split.name for split in found] == [f"A2e without {name}" for name in windows.electrodes]
        assert sorted(np.concatenate([split.test for split in found])) == list(range(len(windows)))
        for split in found:
            assert len(set(windows.electrode[split.train])) == 2
            assert set(windows.person[split.test]) == set(windows.person[split.train])

    def test_a3_tests_every_person_once(self, windows: ActivityWindows) -> None:
        found = splits("A3", windows)

        assert [split.name for split in found] == [f"A3 without {name}" for name in windows.people]
        assert sorted(np.concatenate([split.test for split in found])) == list(range(len(windows)))
        assert not found[0].protocol.has_identity

    def test_an_unknown_protocol_names_the_known_ones(self, windows: ActivityWindows) -> None:
        with pytest.raises(ValueError, match=r"\['A1', 'A2', 'A2e', 'A3'\], got 'A4'"):
            splits("A4", windows)  # type: ignore[arg-type]

    def test_a_fold_without_windows_to_ask_is_refused(self) -> None:
        with pytest.raises(ValueError, match="A2: 4 windows to train on, 0 to evaluate"):
            splits("A2", activity_windows([noise_record(seconds=(12.0,))]))


@pytest.mark.real_data
class TestMotionSet:
    def test_no_protocol_but_a1_leaks(self, data_dir: Path) -> None:
        windows = read_activity_windows(data_dir)

        for protocol in PROTOCOLS:
            assert_no_leak(protocol, windows)
        assert {name: len(splits(name, windows)) for name in PROTOCOLS} == {
            "A1": 1,
            "A2": 1,
            "A2e": 3,
            "A3": 10,
        }
