import numpy as np

from ml.runtime.ecg.activity.features import window_features
from ml.runtime.ecg.activity.segments import describe_segments, duration_s
from ml.runtime.ecg.signal.conditioning import examine
from tests.moving import FS_HZ, moving_signal


class TestDescribeSegments:
    def test_each_segment_has_the_features_of_its_context(self):
        strip = examine(moving_signal(2, 24.0), FS_HZ)

        found = describe_segments(strip, 10.0, 3.0)

        assert found.edges_s.tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24]
        np.testing.assert_array_equal(found.features[4], window_features(strip, 8.5, 18.5))

    def test_a_segment_without_contact_is_unreadable(self):
        signal = moving_signal(0, 30.0)
        signal[2500:5000] = signal[2500]

        found = describe_segments(examine(signal, FS_HZ), 10.0, 3.0)

        assert found.mute[[4, 5]].all()
        assert not found.mute[[0, 1, 8, 9]].any()

    def test_a_strip_shorter_than_a_context_is_looked_at_whole(self):
        strip = examine(moving_signal(2, 3.0), FS_HZ)

        found = describe_segments(strip, 10.0, 3.0)

        np.testing.assert_array_equal(found.features, [window_features(strip, 0.0, duration_s(strip))])

    def test_only_segments_that_begin_within_a_span(self):
        strip = examine(moving_signal(2, 24.0), FS_HZ)
        whole = describe_segments(strip, 10.0, 3.0)

        found = describe_segments(strip, 10.0, 3.0, (6.0, 14.0))

        assert found.edges_s.tolist() == [6, 9, 12, 15]
        np.testing.assert_array_equal(found.features, whole.features[2:5])
        np.testing.assert_array_equal(found.quality, whole.quality[2:5])
