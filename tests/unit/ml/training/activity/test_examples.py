import numpy as np
import pytest

from ml.data.motion import MotionRecord, Stretch
from ml.data.records import EcgRecord
from ml.runtime.ecg.activity.features import FEATURE_NAMES
from ml.training.activity.examples import (
    OWN_REST_S,
    describe,
    motion_features,
    own_rest_signal,
    resting_other_sensor,
)
from tests.moving import FS_HZ, TRUNK_SIZE, made_up_trunk, moving_records, moving_signal


def with_gap(at_s: float, seconds: float = 30.0, activity: str = "rest") -> MotionRecord:
    signal = moving_signal(0, seconds)
    gap = round(at_s * FS_HZ)
    parts = (Stretch(0.0, signal[:gap]), Stretch((gap + 1) / FS_HZ, signal[gap + 1 :]))
    return MotionRecord("r", "p0", activity, "textile", FS_HZ, parts)


class TestMotionFeatures:
    def test_every_window_of_every_length_is_described(self):
        found = motion_features(moving_records(1, seconds=21.0), (3.0, 10.0), made_up_trunk(), 6.0)

        assert len(found.tables[3.0].features) == 15 * 4
        assert len(found.tables[10.0].features) == 15 * 2
        assert found.tables[10.0].start_s[:2].tolist() == [0.0, 6.0]
        assert found.people == ("p0",)

    def test_windows_that_overlap_the_baseline_are_marked(self):
        table = motion_features(moving_records(1, seconds=33.0), (3.0,), made_up_trunk(), 10.0).tables[3.0]

        assert table.start_s[table.in_own_rest].tolist() == [0.0, 10.0] * 3
        assert (table.activity[table.in_own_rest] == 0).all()

    def test_no_window_holds_lost_data(self):
        table = motion_features([with_gap(7.0)], (5.0,), made_up_trunk(), 1.0).tables[5.0]

        assert table.start_s.size > 15
        assert ((table.start_s + 5.0 <= 7.0) | (table.start_s > 7.0)).all()

    def test_the_baseline_is_that_of_the_same_electrode(self):
        records = moving_records(2, seconds=22.0)
        found = motion_features(records, (10.0,), made_up_trunk(), 10.0)
        table = found.tables[10.0]

        rest = found.own_rest(table)

        at_rest = next(r for r in records if r.person == "p1" and r.electrode == "chrome_nickel")
        expected = describe(own_rest_signal(at_rest), FS_HZ, made_up_trunk())[0]
        mine = (table.person == 1) & (table.electrode == 1)
        np.testing.assert_array_equal(rest[mine], np.tile(expected, (mine.sum(), 1)))


class TestOwnRestSignal:
    @pytest.mark.parametrize(("gap_s", "seconds"), [(25.0, OWN_REST_S), (12.0, 12.0), (2.0, 18.0)])
    def test_is_the_longest_part_without_lost_data(self, gap_s, seconds):
        assert own_rest_signal(with_gap(gap_s)).size == pytest.approx(seconds * FS_HZ, abs=2)


class TestRestingOtherSensor:
    def records(self) -> list[EcgRecord]:
        noise = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
        signals = (moving_signal(0, 8.0), moving_signal(0, 14.0), noise)
        return [EcgRecord(f"r{i}", f"p{i}", FS_HZ, x, "I", "mV") for i, x in enumerate(signals)]

    def test_readable_recordings_that_hold_a_window_are_described(self):
        found = resting_other_sensor(self.records(), (3.0, 10.0), made_up_trunk())

        assert {s: len(rows) for s, rows in found.items()} == {3.0: 2, 10.0: 1}
        middle = self.records()[1].signal[round(2 * FS_HZ) : round(12 * FS_HZ)]
        np.testing.assert_array_equal(found[10.0][0], describe(middle, FS_HZ, made_up_trunk())[0])


class TestDescribe:
    def test_what_is_no_strip_is_unreadable(self):
        features, mute = describe(np.zeros(1000, np.float32), FS_HZ, made_up_trunk())

        assert mute
        assert features.shape == (len(FEATURE_NAMES) + TRUNK_SIZE,)
        assert np.isnan(features).all()
