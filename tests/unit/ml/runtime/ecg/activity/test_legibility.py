import pytest

from ml.runtime.ecg.activity.legibility import is_mute
from ml.runtime.ecg.signal.quality import Segment, SignalQuality


def quality(*reasons: str) -> SignalQuality:
    segments = [Segment(5.0 * i, 5.0 * (i + 1), 0.5, not r, (r,) if r else ()) for i, r in enumerate(reasons)]
    return SignalQuality(0.5, tuple(segments))


class TestIsMute:
    @pytest.mark.parametrize("reason", ["samples_missing", "signal_flat", "signal_saturated", "no_heartbeat"])
    def test_what_shows_no_heart_is_unreadable(self, reason):
        assert is_mute(quality(reason, ""), 0.0, 5.0)

    def test_movement_that_spoils_beats_is_not(self):
        assert not is_mute(quality("quality_too_low"), 0.0, 5.0)

    def test_a_window_is_unreadable_by_more_than_half(self):
        half = quality("no_heartbeat", "")

        assert not is_mute(half, 0.0, 10.0)
        assert is_mute(half, 0.0, 9.0)
