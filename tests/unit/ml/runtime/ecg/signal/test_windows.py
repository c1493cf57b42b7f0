import numpy as np
import pytest
from numpy.typing import NDArray

from ml.runtime.ecg.signal.windows import (
    CLIP_RMS,
    WindowConfig,
    cut_windows,
    standardize_windows,
    strip_windows,
    window_starts,
)

CONFIG = WindowConfig()


def noise(seconds: float) -> NDArray[np.float32]:
    return np.random.default_rng(5).standard_normal(round(250 * seconds)).astype(np.float32)


def all_accepted(ecg: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.ones(ecg.shape, dtype=np.bool_)


def accepted_between(ecg: NDArray[np.float32], start_s: float, end_s: float) -> NDArray[np.bool_]:
    times_s = np.arange(ecg.size) / 250
    return (times_s >= start_s) & (times_s < end_s)


def starts_of(windows: NDArray[np.float32], ecg: NDArray[np.float32]) -> list[int]:
    """Where windows of a noisy strip were cut, at 125 Hz: every place looks different."""
    samples = ecg[::2]
    places = [
        standardize_windows(samples[None, start : start + 368]) for start in range(samples.size - 368 + 1)
    ]
    return [next(s for s, place in enumerate(places) if np.array_equal(place[0], w)) for w in windows]


class TestStripWindows:
    def test_windows_are_cut_every_step_at_half_the_rate(self) -> None:
        ecg = noise(10.0)

        windows = strip_windows(ecg, all_accepted(ecg), CONFIG)

        assert windows.dtype == np.float32
        assert starts_of(windows, ecg) == [0, 188, 376, 564, 752, 882]

    def test_an_inverted_strip_gives_exactly_the_inverted_windows(self) -> None:
        ecg = 1e3 * noise(20.0) + 40.0

        mirrored = strip_windows(-ecg, all_accepted(ecg), CONFIG)

        np.testing.assert_array_equal(mirrored, -strip_windows(ecg, all_accepted(ecg), CONFIG))

    def test_windows_within_accepted_parts_come_first(self) -> None:
        ecg = noise(10.0)

        windows = strip_windows(ecg, accepted_between(ecg, 0.0, 5.0), CONFIG)

        assert starts_of(windows, ecg) == [0, 188]  # The next one ends after 5.95 s.

    def test_without_a_whole_accepted_window_those_with_most_are_taken(self) -> None:
        ecg = noise(10.0)

        windows = strip_windows(ecg, accepted_between(ecg, 4.0, 6.0), CONFIG)

        assert starts_of(windows, ecg) == [376]  # From 3.0 to 5.95 s.

    def test_long_strips_give_evenly_spaced_windows_to_both_ends(self) -> None:
        ecg = noise(120.0)

        windows = strip_windows(ecg, all_accepted(ecg), WindowConfig(max_windows=5))

        assert starts_of(windows, ecg) == [0, 3760, 7332, 10904, 14632]

    @pytest.mark.parametrize("lacking", [1, 2, 7, 20])
    def test_a_strip_a_few_samples_short_keeps_its_last_value(self, lacking: int) -> None:
        ecg = noise(2.944)[: 736 - lacking]

        windows = strip_windows(ecg, all_accepted(ecg), CONFIG)

        held = ecg[::2]
        padded = np.concatenate([held, np.full(368 - held.size, held[-1])])
        np.testing.assert_array_equal(windows, standardize_windows(padded[None]))

    @pytest.mark.parametrize("size", [0, 1000])
    def test_an_empty_strip_or_another_mask_is_refused(self, size: int) -> None:
        with pytest.raises(ValueError, match="expected a strip and its mask"):
            strip_windows(np.zeros(size), np.ones(999 if size else 0, dtype=np.bool_), CONFIG)


class TestStandardizeWindows:
    def test_gives_zero_mean_and_unit_rms_whatever_the_unit(self) -> None:
        windows = standardize_windows(300.0 + 1e-3 * noise(20.0).reshape(5, -1))

        np.testing.assert_allclose(windows.mean(axis=1), 0.0, atol=1e-3)
        np.testing.assert_allclose((windows**2).mean(axis=1), 1.0, atol=1e-3)

    def test_outliers_are_cut_off_on_both_sides(self) -> None:
        spikes = np.zeros((1, 368), dtype=np.float32)
        spikes[0, [50, 200]] = 1.0, -1.0

        windows = standardize_windows(spikes)

        assert (windows.min(), windows.max()) == (-CLIP_RMS, CLIP_RMS)

    def test_a_flat_window_gives_zeros(self) -> None:
        assert not standardize_windows(np.full((2, 368), 7.0, dtype=np.float32)).any()


class TestWindowConfig:
    @pytest.mark.parametrize(
        "wrong", [{"n_samples": 0}, {"max_windows": 0}, {"step_s": 0.0}, {"fs_hz": 0.0}, {"fs_hz": 120.0}]
    )
    def test_windows_that_cannot_be_cut_are_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="windows: "):
            WindowConfig(**wrong)  # type: ignore[arg-type]


class TestWindowStarts:
    def test_windows_cover_the_strip_to_its_last_sample(self) -> None:
        starts = window_starts(1000, 100.0, length_s=3.0, step_s=2.0)

        assert starts.tolist() == [0, 200, 400, 600, 700]

    def test_a_strip_shorter_than_a_window_has_none(self) -> None:
        assert window_starts(299, 100.0, length_s=3.0, step_s=1.0).size == 0

    def test_a_strip_of_exactly_one_window_has_one(self) -> None:
        assert window_starts(300, 100.0, length_s=3.0, step_s=1.0).tolist() == [0]


class TestCutWindows:
    def test_windows_hold_the_samples_at_their_starts(self) -> None:
        ecg = np.arange(1000, dtype=np.float32)

        windows = cut_windows(ecg, 100.0, length_s=3.0, step_s=2.0)

        assert windows.shape == (5, 300)
        assert windows.dtype == np.float32
        assert windows[:, 0].tolist() == [0, 200, 400, 600, 700]
