"""Variations of heartbeats that one session does not show: other days, heart rates and sensors."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# ST segment and T wave begin this long after the fiducial point, and are fully varied this much later.
ST_BEGIN_S = 0.06
ST_RAMP_S = 0.08


def vary_repolarization(
    beats: FloatArray,
    fs_hz: float,
    fiducial: int,
    rng: np.random.Generator,
    *,
    t_amplitude_sd: float,
    t_stretch_sd: float,
    jitter_s: float,
) -> FloatArray:
    """Vary size and length of each T wave, as heart rate and the day do, and shift the beat a little.

    Args:
        beats: Any unit, float64, shape (n_beats, n_samples).
        fs_hz: Sampling rate.
        fiducial: Sample index of the fiducial point.
        rng: Source of all draws.
        t_amplitude_sd: Standard deviation of the logarithm of the size.
        t_stretch_sd: Of the relative length.
        jitter_s: Of the shift.

    Returns:
        Same unit and shape.
    """
    time_s = (np.arange(beats.shape[1]) - fiducial) / fs_hz
    ramp = np.clip((time_s - ST_BEGIN_S) / ST_RAMP_S, 0.0, 1.0)
    varied = np.empty_like(beats)
    for row, beat in enumerate(beats):
        size, length, shift = rng.standard_normal(3)
        stretch = 1.0 + t_stretch_sd * length
        read_at_s = np.where(time_s < ST_BEGIN_S, time_s, ST_BEGIN_S + (time_s - ST_BEGIN_S) * stretch)
        gain = 1.0 + ramp * (np.exp(t_amplitude_sd * size) - 1.0)
        varied[row] = np.interp(read_at_s + jitter_s * shift, time_s, beat) * gain
    return varied


def high_pass_like_a_sensor(
    ecg: NDArray[np.floating], fs_hz: float, rng: np.random.Generator, *, high_pass_hz: tuple[float, float]
) -> FloatArray:
    """Pass a strip through a first-order input stage of random corner, which tilts ST segment and T wave.

    Args:
        ecg: Any unit, float, shape (n_samples,).
        fs_hz: Sampling rate.
        rng: Source of the corner frequency.
        high_pass_hz: Lowest and highest corner; log-uniform.

    Returns:
        Same unit, float64, same shape.
    """
    from scipy.signal import lfilter

    corner_hz = float(np.exp(rng.uniform(*np.log(high_pass_hz))))
    # Bilinear transform of s / (s + 2π·corner).
    k = np.tan(np.pi * corner_hz / fs_hz)
    a1 = (k - 1.0) / (k + 1.0)
    gain = 1.0 / (1.0 + k)
    start = [-gain * float(ecg[0])]  # As after an endless first sample.
    filtered, _ = lfilter([gain, -gain], [1.0, a1], ecg.astype(np.float64), zi=start)
    return np.asarray(filtered)
