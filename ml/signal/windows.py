"""Fixed windows of a strip."""

import numpy as np
from numpy.typing import NDArray

from ml.signal.filters import FloatArray


def window_starts(n_samples: int, fs_hz: float, length_s: float, step_s: float) -> NDArray[np.int64]:
    """First samples of all whole windows; the last window ends at the end of the strip.

    Args:
        n_samples: Length of the strip.
        fs_hz: Sampling rate.
        length_s: Length of a window.
        step_s: Distance between starts.

    Returns:
        int64, shape (n_windows,); empty where the strip is shorter than a window.
    """
    last = n_samples - round(length_s * fs_hz)
    if last < 0:
        return np.empty(0, dtype=np.int64)
    starts = np.arange(0, last + 1, max(1, round(step_s * fs_hz)), dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)


def cut_windows(ecg: FloatArray, fs_hz: float, length_s: float, step_s: float) -> FloatArray:
    """Cut a strip into overlapping windows.

    Args:
        ecg: Any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        length_s: Length of a window.
        step_s: Distance between starts.

    Returns:
        Same unit and dtype, shape (n_windows, round(length_s · fs_hz)).
    """
    starts = window_starts(ecg.size, fs_hz, length_s, step_s)
    return np.asarray(ecg[starts[:, None] + np.arange(round(length_s * fs_hz))])
