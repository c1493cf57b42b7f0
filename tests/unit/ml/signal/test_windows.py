import numpy as np

from ml.signal.windows import cut_windows, window_starts


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
