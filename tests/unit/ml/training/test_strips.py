import numpy as np

from ml.synthetic.ecg import SyntheticPerson
from ml.training.strips import RawStrip, condition_strips


def raw_strips():
    ecg = SyntheticPerson.draw(1).record(duration_s=8.0, fs_hz=250.0, seed=1)
    return [
        RawStrip("a", 0, 250.0, ecg),
        RawStrip("a", 1, 250.0, np.zeros(2000)),
        RawStrip("b", 0, 250.0, -ecg),
    ]


def refuse():
    raise AssertionError("the cache should have answered")
    yield


class TestConditionStrips:
    def test_failures_to_acquire_stay_in_place(self, tmp_path):
        strips = condition_strips(raw_strips(), tmp_path / "set")

        assert [(s.subject_id, s.part, s.r_peaks.size > 0) for s in strips] == [
            ("a", 0, True),
            ("a", 1, False),
            ("b", 0, True),
        ]
        assert strips[1].seconds == 0.0

    def test_the_second_time_comes_from_the_cache(self, tmp_path):
        first = condition_strips(raw_strips(), tmp_path / "set")

        second = condition_strips(refuse(), tmp_path / "set")

        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one.ecg, other.ecg)
            np.testing.assert_array_equal(one.r_peaks, other.r_peaks)
            np.testing.assert_array_equal(one.accepted, other.accepted)
            assert (one.seconds, one.quality) == (other.seconds, other.quality)

    def test_accepted_samples_make_up_the_accepted_seconds(self, tmp_path):
        ecg = SyntheticPerson.draw(1).record(duration_s=20.0, fs_hz=250.0, seed=1)
        ecg[:1250] = 0.0

        (strip,) = condition_strips([RawStrip("a", 0, 250.0, ecg)], tmp_path / "set")

        assert strip.accepted.shape == strip.ecg.shape
        assert strip.accepted.sum() / 250.0 == strip.seconds == 15.0
        assert not strip.accepted[:1250].any()

    def test_an_inverted_recording_gives_the_inverted_strip(self, tmp_path):
        strips = condition_strips(raw_strips(), tmp_path / "set")

        np.testing.assert_array_equal(strips[2].ecg, -strips[0].ecg)
        np.testing.assert_array_equal(strips[2].r_peaks, strips[0].r_peaks)
