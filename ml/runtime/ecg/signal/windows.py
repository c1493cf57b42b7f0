"""Fixed windows of a strip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.constants import WORKING_FS_HZ
from ml.runtime.ecg.signal.filters import FloatArray

# Standardized samples further out than this are defects; no QRS of a clean strip reaches it.
CLIP_RMS = 8.0


@dataclass(frozen=True)
class WindowConfig:
    """The windows that a network reads.

    Args:
        n_samples: Length of a window; the default fits the shortest strip and halves four times.
        fs_hz: Sampling rate; divides the working rate of `ml.runtime.ecg.signal` (250 Hz).
        step_s: Distance between starts.
        max_windows: Longer strips give this many windows, evenly spaced.

    Raises:
        ValueError: No such windows can be cut.
    """

    n_samples: int = 368
    fs_hz: float = 125.0
    step_s: float = 1.5
    max_windows: int = 32

    def __post_init__(self) -> None:
        if min(self.n_samples, self.max_windows) < 1 or not self.step_s > 0.0:
            raise ValueError("windows: n_samples, step_s and max_windows must be positive")
        if not self.fs_hz > 0.0 or WORKING_FS_HZ % self.fs_hz != 0.0:
            raise ValueError(f"windows: fs_hz must divide {WORKING_FS_HZ:g} Hz, got {self.fs_hz:g}")


def strip_windows(ecg: FloatArray, accepted: NDArray[np.bool_], config: WindowConfig) -> NDArray[np.float32]:
    """Cut the windows that a network reads of a conditioned strip, in training and in service alike.

    They lie in accepted segments; if none does, those with the most accepted samples are taken.

    Args:
        ecg: At the working rate (250 Hz), any unit, float, shape (n_samples,); not empty.
        accepted: Which samples lie in accepted segments, bool, same shape.
        config: The windows.

    Returns:
        Standardized, float32, shape (n_windows, config.n_samples), 1 to `max_windows` of them; `-ecg` gives
        exactly their negative.

    Raises:
        ValueError: An empty strip, or a mask of another shape.
    """
    if ecg.size == 0 or ecg.shape != accepted.shape:
        raise ValueError(f"expected a strip and its mask, got shapes {ecg.shape} and {accepted.shape}")
    stride = round(WORKING_FS_HZ / config.fs_hz)
    samples, trusted = ecg[::stride], accepted[::stride]
    lacking = config.n_samples - samples.size
    if lacking > 0:  # As in a strip of 3 s at an odd rate.
        samples, trusted = np.pad(samples, (0, lacking), mode="edge"), np.pad(trusted, (0, lacking))
    starts = _chosen_starts(trusted, config)
    return standardize_windows(samples[starts[:, None] + np.arange(config.n_samples)])


def standardize_windows(windows: FloatArray) -> NDArray[np.float32]:
    """Scale every window to zero mean and unit RMS, and clip it at `CLIP_RMS`.

    Args:
        windows: Any unit, float, shape (n_windows, n_samples).

    Returns:
        float32, same shape; a flat window gives zeros.
    """
    centered = windows - windows.mean(axis=1, keepdims=True, dtype=np.float64)
    rms = np.sqrt((centered**2).mean(axis=1, keepdims=True))
    scaled = centered / np.where(rms > np.finfo(np.float32).tiny, rms, np.inf)
    return np.asarray(np.clip(scaled, -CLIP_RMS, CLIP_RMS), dtype=np.float32)


def window_starts(n_samples: int, fs_hz: float, length_s: float, step_s: float) -> NDArray[np.int64]:
    """Return the first samples of all whole windows; the last window ends at the end of the strip.

    Args:
        n_samples: Length of the strip.
        fs_hz: Sampling rate.
        length_s: Length of a window.
        step_s: Distance between starts.

    Returns:
        int64, shape (n_windows,); empty if the strip is shorter than a window.
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


def _chosen_starts(accepted: NDArray[np.bool_], config: WindowConfig) -> NDArray[np.int64]:
    """First samples of the windows to take, ascending, from the mask at the windows' rate."""
    length_s = config.n_samples / config.fs_hz
    starts = window_starts(accepted.size, config.fs_hz, length_s, config.step_s)
    accepted_before = np.concatenate([[0], np.cumsum(accepted)])
    n_accepted = accepted_before[starts + config.n_samples] - accepted_before[starts]
    # Where any window lies wholly inside, the largest number is all its samples.
    best: NDArray[np.int64] = starts[n_accepted == n_accepted.max()]
    if best.size <= config.max_windows:
        return best
    chosen = np.linspace(0, best.size - 1, config.max_windows).round().astype(np.int64)
    return np.asarray(best[chosen])
