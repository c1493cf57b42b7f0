import numpy as np
import pytest

from ml.runtime.ecg.activity.beat_shape import SHAPE_NAMES, shape_features, typical_beat, without_beats
from tests.heartbeats import strip


def beats_of(seconds: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    known = strip(seconds=seconds, noise_mv=0.0)
    return known.ecg_mv, np.rint(known.r_times_s * 250.0).astype(np.int64)


class TestTypicalBeat:
    def test_the_size_is_that_of_the_qrs(self):
        ecg, r_peaks = beats_of()

        beat = typical_beat(ecg, r_peaks)

        assert beat is not None
        assert beat.qrs_size == pytest.approx(1.25, abs=0.1)
        assert beat.likeness.min() > 0.99

    def test_there_is_none_without_a_whole_beat(self):
        ecg, _ = beats_of()

        assert typical_beat(ecg, np.array([10, 2490])) is None

    def test_a_flat_window_has_none(self):
        assert typical_beat(np.zeros(1000), np.array([300, 500])) is None


class TestShapeFeatures:
    def test_all_are_known_of_four_beats_and_the_same_for_the_mirror_image(self):
        ecg, r_peaks = beats_of()
        upright, inverted = typical_beat(ecg, r_peaks), typical_beat(-7.0 * ecg, r_peaks)
        assert upright is not None
        assert inverted is not None

        found, mirrored = shape_features(upright), shape_features(inverted)

        assert found.keys() == set(SHAPE_NAMES)
        assert mirrored == pytest.approx(found, abs=1e-9)

    def test_beats_that_breathe_deviate_more(self):
        ecg, r_peaks = beats_of()
        breathing = ecg * (1.0 + 0.3 * np.sin(2 * np.pi * 0.3 * np.arange(ecg.size) / 250.0))
        even, uneven = typical_beat(ecg, r_peaks), typical_beat(breathing, r_peaks)
        assert even is not None
        assert uneven is not None

        assert (
            shape_features(uneven)["log_qrs_size_deviation"]
            > shape_features(even)["log_qrs_size_deviation"] + 1
        )


class TestWithoutBeats:
    def test_of_a_clean_strip_little_is_left(self):
        ecg, r_peaks = beats_of()
        beat = typical_beat(ecg, r_peaks)
        assert beat is not None

        left = without_beats(ecg, r_peaks, beat)

        assert left.std() < 0.3 * ecg.std()

    def test_movement_is_left(self):
        ecg, r_peaks = beats_of(20.0)
        movement = 0.2 * np.sin(2 * np.pi * 1.7 * np.arange(ecg.size) / 250.0)
        beat = typical_beat(ecg + movement, r_peaks)
        assert beat is not None

        left = without_beats(ecg + movement, r_peaks, beat)

        assert np.corrcoef(left, movement)[0, 1] > 0.9

    def test_a_beat_at_the_edge_is_taken_away_in_part(self):
        ecg, r_peaks = beats_of()
        beat = typical_beat(ecg, r_peaks)
        assert beat is not None
        first = int(r_peaks[1])

        left = without_beats(ecg[first:], r_peaks[1:] - first, beat)

        assert np.abs(left[:10]).max() < 0.3 * np.abs(ecg[first : first + 10]).max()
