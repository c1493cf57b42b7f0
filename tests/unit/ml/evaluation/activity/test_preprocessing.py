import numpy as np
import pytest

from ml.evaluation.activity.preprocessing import ActivityPreprocessing, preprocess

FS_HZ = 500.0


def tone(hz: float, seconds: float = 30.0, fs_hz: float = FS_HZ) -> np.ndarray:
    return np.sin(2.0 * np.pi * hz * np.arange(round(seconds * fs_hz)) / fs_hz)


def size_of(hz: float, windows: np.ndarray) -> float:
    """Amplitude of a tone within windows at 100 Hz, the two at the ends left out."""
    phases = 2.0j * np.pi * hz * np.arange(windows.shape[1]) / 100.0
    return float(np.abs(windows[1:-1] @ np.exp(-phases)).mean() * 2.0 / windows.shape[1])


def one(signal: np.ndarray, fs_hz: float = FS_HZ, **options: object) -> np.ndarray:
    (windows,) = preprocess([signal], fs_hz, ActivityPreprocessing(**options))
    return windows


class TestPreprocess:
    def test_three_seconds_become_three_hundred_samples_at_an_odd_rate(self) -> None:
        windows = one(tone(5.0, fs_hz=497.24), fs_hz=497.24)

        assert windows.shape == (10, 300)
        assert windows.dtype == np.float32

    def test_a_rest_shorter_than_a_window_is_left_out(self) -> None:
        assert len(one(tone(5.0, seconds=8.9))) == 2

    def test_a_strip_shorter_than_a_window_gives_none(self) -> None:
        for scaling in ("record", "window"):
            assert one(tone(5.0, seconds=2.9), scaling=scaling).shape == (0, 300)

    def test_beats_stay_where_they_are(self) -> None:
        signal = np.zeros(round(30.0 * 497.5))
        at_s = np.array([1.0, 4.5, 10.0, 28.0])
        signal[np.round(at_s * 497.5).astype(int)] = 1.0

        found = one(signal, fs_hz=497.5).ravel()

        assert [int(np.argmax(found[round(100 * s) - 20 : round(100 * s) + 20])) for s in at_s] == [20] * 4

    def test_drift_goes_and_the_heart_stays(self) -> None:
        both = one(tone(0.05) + tone(8.0))

        # Of 0 … 1, a tone spans amplitude 0.5.
        assert size_of(8.0, both) == pytest.approx(0.5, rel=0.05)
        assert np.ptp(both.mean(axis=1)[1:-1]) < 0.02

    @pytest.mark.parametrize("mains_hz", [50.0, 60.0])
    def test_mains_are_removed_at_the_native_rate(self, mains_hz: float) -> None:
        kept = one(tone(8.0) + tone(mains_hz), mains_hz=(mains_hz,))
        # At 100 Hz they would be found at 50 and, mirrored, at 40 Hz.
        mirrored_hz = 100.0 - mains_hz

        assert size_of(mirrored_hz, kept) < 0.005 * size_of(8.0, kept)

    def test_sixty_hertz_at_a_hundred_are_left_alone_rather_than_mangled(self) -> None:
        ecg = tone(8.0, fs_hz=100.0)

        with_notch = one(ecg, fs_hz=100.0, mains_hz=(60.0,))
        without = one(ecg, fs_hz=100.0, mains_hz=())

        np.testing.assert_array_equal(with_notch, without)

    def test_the_band_pass_ends_at_forty_hertz_and_the_high_pass_does_not(self) -> None:
        signal = tone(8.0) + tone(46.0)

        wide, narrow = (one(signal, filtering=name, mains_hz=()) for name in ("high_pass", "band_pass"))
        assert size_of(46.0, wide) > 0.8 * size_of(8.0, wide)
        assert size_of(46.0, narrow) < 0.4 * size_of(8.0, narrow)

    def test_scaling_by_record_spans_all_parts_together(self) -> None:
        quiet, loud = 0.1 * tone(8.0), tone(8.0)

        found = np.concatenate(preprocess([quiet, loud], FS_HZ, ActivityPreprocessing(scaling="record")))

        assert (found.min(), found.max()) == (0.0, 1.0)
        assert np.ptp(found[:8]) < 0.2

    def test_scaling_by_window_spans_each(self) -> None:
        found = np.concatenate(
            preprocess([0.1 * tone(8.0), tone(8.0)], FS_HZ, ActivityPreprocessing(scaling="window"))
        )

        np.testing.assert_array_equal(found.min(axis=1), np.zeros(20))
        np.testing.assert_array_equal(found.max(axis=1), np.ones(20))

    def test_a_flat_strip_gives_zeros(self) -> None:
        for scaling in ("record", "window"):
            np.testing.assert_array_equal(one(np.full(6000, 2048.0), scaling=scaling), np.zeros((4, 300)))

    def test_size_and_offset_of_the_counts_do_not_matter(self) -> None:
        ecg = np.random.default_rng(1).standard_normal(6000)

        np.testing.assert_allclose(one(ecg), one(2048.0 + 37.0 * ecg), atol=1e-5)


class TestActivityPreprocessing:
    def test_unknown_options_name_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match=r"scaling: expected one of \['record', 'window'\]"):
            ActivityPreprocessing(scaling="people")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"filtering: expected one of \['band_pass', 'high_pass'\]"):
            ActivityPreprocessing(filtering="none")  # type: ignore[arg-type]

    def test_lengths_must_be_positive(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            ActivityPreprocessing(window_s=0.0)
