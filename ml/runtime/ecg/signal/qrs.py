"""QRS detection: energy in two bands, local thresholds, then the most plausible sequence.

Works at 250 Hz on any amplitude. All decisions rest on energies, or on a polarity that turns with the signal,
so that a strip and its mirror image have the same beats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.beat_sequence import most_plausible_sequence
from ml.runtime.ecg.signal.filters import band_pass
from ml.runtime.ecg.signal.order_statistics import median

FS_HZ = c.WORKING_FS_HZ
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Candidates:
    """Candidates for heartbeats.

    Attributes:
        sample: Peak of the QRS energy, int64, shape (n_candidates,).
        height: Energy (root) above the noise; 1 = the local QRS level, float64, same shape.
        sharpness: The same in the band that T waves and wide ventricular beats hardly reach.
    """

    sample: NDArray[np.int64]
    height: NDArray[np.float64]
    sharpness: NDArray[np.float64]


def locate_qrs(ecg: NDArray[np.float64]) -> NDArray[np.int64]:
    """Locate one sample per heartbeat, at the largest deflection of its QRS.

    Args:
        ecg: Any unit, float64, shape (n_samples,), at `WORKING_FS_HZ`, free of drift below 0.5 Hz.

    Returns:
        Increasing sample indices, int64, shape (n_beats,).

    Source:
        Band-pass, energy and search-back follow Pan and Tompkins 1985, doi:10.1109/TBME.1985.325532. Their
        running thresholds, which fail after one electrode step, are replaced by medians around each sample,
        and their search-back by the best sequence over all candidates.
    """
    largest = np.abs(ecg).max(initial=0.0)
    if largest < _TINY:
        return np.empty(0, dtype=np.int64)
    # A power of two: squares neither overflow nor vanish, and no bit of the signal is lost.
    scaled = ecg * np.ldexp(1.0, -int(np.frexp(largest)[1]))
    candidates = find_candidates(scaled)
    beats = most_plausible_sequence(candidates.sample / FS_HZ, candidates.height, candidates.sharpness)
    return refine_peaks(band_pass(scaled, FS_HZ, c.REFINE_LOW_HZ, c.BAND_HIGH_HZ), candidates.sample[beats])


def find_candidates(ecg: NDArray[np.float64]) -> Candidates:
    """Peaks of the QRS energy, at least a refractory time apart; arguments as in `locate_qrs`."""
    from scipy.ndimage import maximum_filter1d
    from scipy.signal import find_peaks

    qrs = _relative_energy(band_pass(ecg, FS_HZ, *c.QRS_BAND_HZ), c.QRS_ENERGY_S)
    sharp = _relative_energy(band_pass(ecg, FS_HZ, *c.SHARP_BAND_HZ), c.SHARP_ENERGY_S)
    height = c.QRS_BAND_WEIGHT * qrs + (1.0 - c.QRS_BAND_WEIGHT) * sharp
    peaks, _ = find_peaks(height, height=c.CANDIDATE_FLOOR, distance=round(c.REFRACTORY_S * FS_HZ))
    # Filters start and end with transients, and beats with less than half inside the strip are of no use.
    margin = round(c.EDGE_S * FS_HZ)
    peaks = peaks[(peaks >= margin) & (peaks < ecg.size - margin)]
    nearby = maximum_filter1d(sharp, round(c.SHARP_REACH_S * FS_HZ) | 1)
    return Candidates(np.asarray(peaks, dtype=np.int64), height[peaks], nearby[peaks])


def refine_peaks(ecg: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move each beat to the largest deflection near it, of the polarity that prevails around it.

    Otherwise a strip with about equal R and S would jump between the two, and its mean beat would smear. A
    beat that mostly points the other way, such as a ventricular one, keeps its own peak.
    """
    if beats.size == 0:
        return beats
    reach = round(c.REFINE_REACH_S * FS_HZ)
    around = np.clip(beats[:, None] + np.arange(-reach, reach + 1), 0, ecg.size - 1)
    near, rows = ecg[around], np.arange(beats.size)
    highest, lowest = near.argmax(axis=1), near.argmin(axis=1)
    up, down = near[rows, highest], -near[rows, lowest]
    balance = _prevailing(up - down)
    # The tie is broken by time, which does not change when the strip is inverted.
    upward = np.where(balance == 0.0, highest < lowest, balance > 0.0)
    own, other = np.where(upward, up, down), np.where(upward, down, up)
    upward ^= other > c.POLARITY_FLIP * own
    offsets = np.where(upward, highest, lowest)
    return np.unique(around[rows, offsets])


def _prevailing(balance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median over the beats around each beat; over all of them in a short strip."""
    from scipy.ndimage import median_filter

    if balance.size <= c.POLARITY_BEATS:
        return np.full(balance.shape, median(balance))
    return np.asarray(median_filter(balance, c.POLARITY_BEATS, mode="reflect"))


def _relative_energy(band: NDArray[np.float64], width_s: float) -> NDArray[np.float64]:
    """Root of the energy within `width_s`, less the local noise, relative to the local QRS level."""
    from scipy.ndimage import uniform_filter1d

    energy = uniform_filter1d(band**2, round(width_s * FS_HZ) | 1, mode="constant")
    envelope = np.sqrt(np.maximum(energy, 0.0))
    level = _local_level(envelope)
    noise = np.minimum(c.NOISE_WEIGHT * _local_noise(envelope), c.NOISE_MAX_SHARE * level)
    return np.asarray(np.maximum(envelope - noise, 1e-3 * level) / (level - noise))


def _local_level(envelope: NDArray[np.float64]) -> NDArray[np.float64]:
    """QRS level around each sample: the median, over some seconds, of the largest envelope of each second.

    A single step or burst hardly moves it; a lasting change of amplitude does after some seconds.
    """
    from scipy.ndimage import maximum_filter1d, median_filter

    step = round(c.LEVEL_STEP_S * FS_HZ)
    largest = maximum_filter1d(envelope, round(c.LEVEL_BLOCK_S * FS_HZ) | 1)[::step]
    level = median_filter(largest, round(c.LEVEL_SPAN_S / c.LEVEL_STEP_S) | 1, mode="reflect")
    # Relative to the strip's usual level: saturation is hundreds of times a heartbeat.
    floor = max(c.LEVEL_FLOOR * median(level), c.LEVEL_FLOOR_OF_LARGEST * float(level.max()), _TINY)
    return _to_every_sample(np.maximum(level, floor), step, envelope.size)


def _local_noise(envelope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level of the envelope between beats."""
    from scipy.ndimage import percentile_filter

    step = round(c.NOISE_STEP_S * FS_HZ)
    size = round(c.NOISE_SPAN_S / c.NOISE_STEP_S) | 1
    noise = percentile_filter(envelope[::step], c.NOISE_PERCENTILE, size=size, mode="reflect")
    return _to_every_sample(noise, step, envelope.size)


def _to_every_sample(values: NDArray[np.float64], step: int, n_samples: int) -> NDArray[np.float64]:
    """Interpolate like `numpy.interp` between values `step` samples apart, without a search per sample."""
    rise = np.zeros((values.size, 1))
    rise[:-1, 0] = (values[1:] - values[:-1]) / step
    return np.asarray((rise * np.arange(step) + values[:, None]).reshape(-1)[:n_samples])
