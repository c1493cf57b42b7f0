"""Where the QRS complexes are: a Pan–Tompkins detector with local thresholds.

Works at 250 Hz on any amplitude. Sign-equivariant: all decisions use energies, or a polarity that
turns with the signal.
"""

import numpy as np
from numpy.typing import NDArray

from ml.signal import constants as c
from ml.signal.filters import band_pass

FS_HZ = c.WORKING_FS_HZ


def locate_qrs(ecg: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find one sample per heartbeat, at the largest deflection of its QRS.

    Args:
        ecg: Any unit, float64, shape (n_samples,), at `WORKING_FS_HZ`.

    Returns:
        Increasing sample indices, int64, shape (n_beats,).

    Source:
        After Pan and Tompkins 1985, doi:10.1109/TBME.1985.325532; local levels instead of running ones.
    """
    qrs_band = band_pass(ecg, FS_HZ, c.QRS_LOW_HZ, c.QRS_HIGH_HZ)
    envelope = _envelope(qrs_band)
    candidates = _local_maxima(envelope, round(c.REFRACTORY_S * FS_HZ))
    if candidates.size == 0:
        return candidates
    height = envelope[candidates] / _local_level(envelope)[candidates]
    beats = candidates[_choose(candidates, height)]
    return _refine(qrs_band, beats)


def _envelope(qrs_band: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root of the energy within one QRS width."""
    from scipy.ndimage import uniform_filter1d

    energy = uniform_filter1d(qrs_band**2, round(c.ENVELOPE_S * FS_HZ) | 1, mode="constant")
    return np.asarray(np.sqrt(np.maximum(energy, 0.0)))


def _local_maxima(envelope: NDArray[np.float64], distance: int) -> NDArray[np.int64]:
    from scipy.signal import find_peaks

    return np.asarray(find_peaks(envelope, distance=distance)[0], dtype=np.int64)


def _local_level(envelope: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a QRS reaches around each sample; one electrode step does not move it."""
    from scipy.ndimage import maximum_filter1d, median_filter

    step = round(c.LEVEL_STEP_S * FS_HZ)
    largest = maximum_filter1d(envelope, round(c.LEVEL_BLOCK_S * FS_HZ) | 1)[::step]
    level = median_filter(largest, round(c.LEVEL_SPAN_S / c.LEVEL_STEP_S) | 1, mode="reflect")
    at = np.arange(largest.size) * step
    everywhere = np.interp(np.arange(envelope.size), at, level)
    return np.asarray(np.maximum(everywhere, np.finfo(np.float64).tiny))


def _choose(candidates: NDArray[np.int64], height: NDArray[np.float64]) -> NDArray[np.bool_]:
    chosen = height >= c.BEAT_THRESHOLD
    index = np.flatnonzero(chosen)
    if index.size < 3:
        return chosen
    rr = np.diff(candidates[index])
    usual = np.median(rr)
    for gap in np.flatnonzero(rr > c.SEARCH_BACK_RR * usual):
        between = slice(index[gap] + 1, index[gap + 1])
        if height[between].size and height[between].max() >= c.SEARCH_BACK_THRESHOLD:
            chosen[index[gap] + 1 + np.argmax(height[between])] = True
    return chosen


def _refine(qrs_band: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move each beat to the largest deflection near it."""
    reach = round(c.REFINE_S * FS_HZ)
    around = np.clip(beats[:, None] + np.arange(-reach, reach + 1), 0, qrs_band.size - 1)
    offset = np.argmax(np.abs(qrs_band[around]), axis=1)
    return np.unique(around[np.arange(beats.size), offset])
