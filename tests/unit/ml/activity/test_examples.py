import numpy as np
import pytest

from ml.activity.examples import OWN_REST_S, describe, motion_features, own_rest_signal
from ml.activity.features import FEATURE_NAMES, N_REST
from ml.data.motion import MotionRecord, Stretch
from tests.moving import FS_HZ, moving_records, moving_signal


def with_gap(at_s: float, seconds: float = 30.0, activity: str = "rest") -> MotionRecord:
    signal = moving_signal(0, seconds)
    gap = round(at_s * FS_HZ)
    parts = (Stretch(0.0, signal[:gap]), Stretch((gap + 1) / FS_HZ, signal[gap + 1 :]))
    return MotionRecord("r", "p0", activity, "textile", FS_HZ, parts)


class TestMotionFeatures:
    def test_every_window_of_every_length_is_described(self):
        found = motion_features(moving_records(1, seconds=21.0), (3.0, 10.0), 6.0)

        assert len(found.tables[3.0].features) == 15 * 4
        assert len(found.tables[10.0].features) == 15 * 2
        assert found.tables[10.0].start_s[:2].tolist() == [0.0, 6.0]
        assert found.people == ("p0",)

    def test_windows_that_meet_own_rest_are_marked(self):
        table = motion_features(moving_records(1, seconds=33.0), (3.0,), 10.0).tables[3.0]

        assert table.start_s[table.in_own_rest].tolist() == [0.0, 10.0] * 3
        assert (table.activity[table.in_own_rest] == 0).all()

    def test_no_window_holds_lost_data(self):
        table = motion_features([with_gap(7.0)], (5.0,), 1.0).tables[5.0]

        assert table.start_s.size > 15
        assert ((table.start_s + 5.0 <= 7.0) | (table.start_s > 7.0)).all()

    def test_own_rest_is_that_of_the_same_electrode(self):
        records = moving_records(2, seconds=22.0)
        found = motion_features(records, (10.0,), 10.0)
        table = found.tables[10.0]

        rest = found.own_rest(table)

        at_rest = next(r for r in records if r.person == "p1" and r.electrode == "chrome_nickel")
        expected = describe(own_rest_signal(at_rest), FS_HZ)[0]
        mine = (table.person == 1) & (table.electrode == 1)
        np.testing.assert_array_equal(rest[mine], np.tile(expected[:N_REST], (mine.sum(), 1)))


class TestOwnRestSignal:
    @pytest.mark.parametrize(("gap_s", "seconds"), [(25.0, OWN_REST_S), (12.0, 12.0), (2.0, 18.0)])
    def test_is_the_longest_part_without_lost_data(self, gap_s, seconds):
        assert own_rest_signal(with_gap(gap_s)).size == pytest.approx(seconds * FS_HZ, abs=2)


class TestDescribe:
    def test_what_is_no_strip_is_mute(self):
        features, mute = describe(np.zeros(1000, np.float32), FS_HZ)

        assert mute
        assert features.shape == (len(FEATURE_NAMES),)
        assert np.isnan(features).all()
