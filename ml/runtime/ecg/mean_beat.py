"""The mean beat of a strip: the robust mean of its heartbeats, around a stable fiducial point.

Sign-equivariant to the bit: the mean beat of `-ecg` is minus that of `ecg`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ml.runtime.ecg.signal.order_statistics import lower_quartile, median_row

FloatArray = NDArray[np.float32 | np.float64]


@dataclass(frozen=True)
class MeanBeatConfig:
    """Definition of the mean beat. Times in seconds around the fiducial point.

    Args:
        before_s, after_s: The encoder's window.
        fs_hz: Its sampling rate; divides the working rate of `ml.runtime.ecg.signal` (250 Hz).
        align_reach_s: Largest shift of a beat in alignment.
        align_rounds: Rounds of alignment to the median beat.
        least_share: Beats cut off by an end of the strip count if it holds this share of their window.
        drift_order: Order of the polynomial subtracted from each beat.
        huber_deviations: Samples further from the mean than this many median deviations get less weight.
    """

    before_s: float = 0.25
    after_s: float = 0.45
    fs_hz: float = 125.0
    align_reach_s: float = 0.06
    align_rounds: int = 2
    least_share: float = 0.5
    drift_order: int = 2
    huber_deviations: float = 3.0

    @property
    def n_samples(self) -> int:
        """Length of the window at `fs_hz`."""
        return round((self.before_s + self.after_s) * self.fs_hz)


# The fiducial point may lie this far from the QRS peak; beats are cut that much wider.
FIDUCIAL_REACH_S = 0.12
# Beats are aligned by the QRS and its surroundings.
ALIGN_BEFORE_S = 0.10
ALIGN_AFTER_S = 0.12
# The energy of the slope is averaged within these distances, first coarsely, then around the point found.
CENTROID_REACHES_S = (0.12, 0.08)
REWEIGHTING_ROUNDS = 3
# Beats whose distance is a smaller share of their energy than this count as equal.
EQUAL_BEATS = 1e-6
_TINY = np.finfo(np.float64).tiny


def align_beats(
    ecg: FloatArray, fs_hz: float, r_peaks: NDArray[np.int64], config: MeanBeatConfig
) -> NDArray[np.int64]:
    """Move each QRS mark to where its complex matches the median complex of the strip best.

    A detector may mark R in one beat and S in the next, which blurs their mean.

    Args:
        ecg: Band-passed, any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        r_peaks: Sample indices, int64, shape (n_beats,).
        config: Reach and rounds.

    Returns:
        Sample indices, int64, shape (n_beats,).
    """
    reach = round(config.align_reach_s * fs_hz)
    shifts = np.arange(-reach, reach + 1)
    first, end = -round(ALIGN_BEFORE_S * fs_hz), round(ALIGN_AFTER_S * fs_hz)
    within_reach = np.arange(first - reach, end + reach)
    marks = r_peaks
    if len(marks) < 3:
        return marks
    for _ in range(config.align_rounds):
        reachable = _windows(ecg, marks[:, None] + within_reach)
        template = median_row(reachable[:, reach : reach + end - first])
        template = template - template.mean()
        # Contiguous, or sums would run in another order.
        shifted = np.ascontiguousarray(sliding_window_view(reachable, end - first, axis=1))
        shifted -= shifted.mean(axis=2, keepdims=True)  # (n_beats, n_shifts, n)
        size = np.sqrt(np.einsum("bsn,bsn->bs", shifted, shifted))
        likeness = (shifted @ template) / np.maximum(size, _TINY)
        moves = shifts[likeness.argmax(axis=1)]
        if not moves.any():  # They would not move in the next round either.
            break
        marks = marks + moves
    return marks


def mean_beat(
    ecg: FloatArray, fs_hz: float, marks: NDArray[np.int64], config: MeanBeatConfig
) -> NDArray[np.float64] | None:
    """Average the beats of a strip, each without its drift, and center the result on its fiducial point.

    Args:
        ecg: Band-passed, any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        marks: Aligned QRS marks, int64, shape (n_beats,).
        config: The window.

    Returns:
        float64 at `fs_hz`, covering `before_s` to `after_s` around the fiducial point and
        `FIDUCIAL_REACH_S` more on either side; None if the strip holds no whole beat.
    """
    before, after = round(config.before_s * fs_hz), round(config.after_s * fs_hz)
    inside = np.minimum(marks + after, ecg.size) - np.maximum(marks - before, 0)
    whole = inside == before + after
    if not whole.any():
        return None
    usable = inside >= config.least_share * (before + after)
    margin = round(FIDUCIAL_REACH_S * fs_hz)
    index = marks[usable][:, None] + np.arange(-before - 2 * margin, after + 2 * margin)
    present = (index >= 0) & (index < ecg.size)
    # The margins of a whole beat may be clipped: they are read only if its fiducial point moves.
    present[whole[usable]] = True
    core = slice(2 * margin, -2 * margin)
    beats = _without_drift(_windows(ecg, index), present, core, config.drift_order)
    mean = robust_mean(beats, present, core, config.huber_deviations)
    shift = int(np.clip(slope_centroid(mean, before + 2 * margin, fs_hz), -margin, margin))
    return mean[margin + shift : mean.size - margin + shift]


def robust_mean(
    beats: NDArray[np.float64], present: NDArray[np.bool_], core: slice, huber_deviations: float
) -> NDArray[np.float64]:
    """Average beats with little weight for outlying beats and outlying samples.

    Args:
        beats: Any unit, float64, shape (n_beats, n_samples).
        present: Which samples the strip holds; at least one beat is whole. bool, same shape.
        core: Samples that decide how alike beats are.
        huber_deviations: Samples within this many median absolute deviations have full weight.

    Returns:
        float64, shape (n_samples,).
    """
    if len(beats) < 3:
        return np.asarray((present * beats).sum(axis=0) / present.sum(axis=0))
    whole = np.asarray(present.all(axis=1))
    weights = present * _beat_weights(beats[:, core], present[:, core], whole)[:, None]
    mean = (weights * beats).sum(axis=0) / weights.sum(axis=0)
    typical = slice(None) if whole.all() else whole  # A slice copies nothing.
    for _ in range(REWEIGHTING_ROUNDS):
        deviation = np.abs(beats - mean)
        usual = median_row(deviation[typical])
        huber = np.minimum(1.0, huber_deviations * usual / np.maximum(deviation, _TINY))
        trusted = np.where(usual > 0.0, huber, 1.0) * weights
        mean = (trusted * beats).sum(axis=0) / trusted.sum(axis=0)
    return np.asarray(mean)


def _beat_weights(
    beats: NDArray[np.float64], present: NDArray[np.bool_], whole: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Weights of beats by their distance from the median of the whole ones; shape (n_beats,)."""
    n_present = present.sum(axis=1)
    shapes = beats - ((present * beats).sum(axis=1) / n_present)[:, None]
    whole_shapes = shapes[whole]
    deviation = shapes - median_row(whole_shapes)
    distance = (present * deviation**2).sum(axis=1) / n_present
    usual = lower_quartile(distance) + EQUAL_BEATS * (whole_shapes**2).mean()
    if usual == 0.0:
        return np.ones(len(beats))
    return np.asarray(usual / (distance + usual))


def _without_drift(
    beats: NDArray[np.float64], present: NDArray[np.bool_], core: slice, order: int
) -> NDArray[np.float64]:
    """Subtract from each beat the best-fitting polynomial of its core; shape (n_beats, n_samples) stays."""
    n_samples = beats.shape[1]
    start, end, _ = core.indices(n_samples)
    n_core = end - start
    powers = _powers(-start, n_samples - start, n_core, order)
    drift = np.empty_like(beats)
    held, cores = present[:, start:end], beats[:, start:end]
    full = held.all(axis=1)
    drift[full] = cores[full] @ _fit(0, n_core, n_core, order).T @ powers.T
    for row in np.flatnonzero(~full).tolist():
        # The strip starts or ends within the core, and holds one piece of it.
        first = int(held[row].argmax())
        last = first + int(np.count_nonzero(held[row]))
        drift[row] = powers @ (_fit(first, last, n_core, order) @ cores[row, first:last])
    return beats - drift


def beat_shape(mean: NDArray[np.float64], fs_hz: float, config: MeanBeatConfig) -> NDArray[np.float32] | None:
    """Cut the window, resample it to the encoder's rate and standardize it.

    Args:
        mean: Result of `mean_beat`.
        fs_hz: Its sampling rate.
        config: The window.

    Returns:
        Zero mean, unit variance, float32, shape (n_samples,); None for a flat beat.
    """
    margin = round(FIDUCIAL_REACH_S * fs_hz)
    step = round(fs_hz / config.fs_hz)
    window = mean[margin : margin + config.n_samples * step : step]
    # Once more, now around the fiducial point: the first subtraction leaves no trace of the marks.
    centered = window - drift_projection(config.n_samples, config.drift_order) @ window
    centered = centered - centered.mean()
    deviation = np.sqrt((centered**2).mean())
    if deviation <= np.finfo(np.float32).tiny:
        return None
    return np.asarray(centered / deviation, dtype=np.float32)


@lru_cache(maxsize=16)
def drift_projection(n_samples: int, order: int) -> NDArray[np.float64]:
    powers = _powers(0, n_samples, n_samples, order)
    return np.asarray(powers @ np.linalg.pinv(powers))


@lru_cache(maxsize=1024)  # A strip may start or end anywhere within a beat.
def _fit(first: int, end: int, n_core: int, order: int) -> NDArray[np.float64]:
    """Linear map from these samples of the core to the polynomial; shape (order + 1, end - first)."""
    return np.asarray(np.linalg.pinv(_powers(0, n_core, n_core, order)[first:end]))


@lru_cache(maxsize=16)
def _powers(first: int, end: int, n_core: int, order: int) -> NDArray[np.float64]:
    """Powers of a time that runs from −1 to 1 in the core, for samples counted from its start.

    Returns:
        float64, shape (end - first, order + 1).
    """
    return np.asarray(np.vander(np.arange(first, end) / n_core * 2.0 - 1.0, order + 1))


def _windows(ecg: FloatArray, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """The samples at `index`; beyond the ends of the strip, its first or last value."""
    return ecg.take(index, mode="clip").astype(np.float64)


def slope_centroid(beat: NDArray[np.float64], start: int, fs_hz: float) -> int:
    """Centroid of the slope's energy, in samples after `start`.

    A peak may be R in one recording of a person and S in the next; the centroid moves little.
    """
    slope_energy = (beat[2:] - beat[:-2]) ** 2  # Of all samples but the first and the last.
    point = start
    for reach_s in CENTROID_REACHES_S:
        reach = round(reach_s * fs_hz)
        offsets = np.arange(-reach, reach + 1)
        energy = slope_energy.take(point - 1 + offsets, mode="clip")
        total = energy.sum()
        if total > 0.0:
            point += int(np.rint((energy * offsets).sum() / total))
    return point - start
