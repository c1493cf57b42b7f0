"""The pipeline from a raw strip to the input of encoders, the same in training and in service."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.beats import heart_rate_bpm
from ml.runtime.ecg.signal.defects import flat_samples, saturated_samples
from ml.runtime.ecg.signal.dropouts import dropouts
from ml.runtime.ecg.signal.errors import (
    ImpulsesError,
    NoHeartbeatError,
    PacedRhythmError,
    QualityTooLowError,
    SamplesMissingError,
    SamplingRateUnsupportedError,
    SignalError,
    SignalFlatError,
    SignalNotFiniteError,
    SignalSaturatedError,
    SignalTooShortError,
)
from ml.runtime.ecg.signal.filters import FloatArray, band_pass, notch, resample
from ml.runtime.ecg.signal.heart_features import FEWEST_BEATS, HeartFeatures, heart_features
from ml.runtime.ecg.signal.heart_index import holds_heart
from ml.runtime.ecg.signal.heart_shape import EDGES_FROM_HZ, has_edges, stands_alone
from ml.runtime.ecg.signal.impulses import bridged, impulses
from ml.runtime.ecg.signal.lines import HIGHEST_HZ, HIGHEST_WITHOUT_NOTCH_HZ, without_lines
from ml.runtime.ecg.signal.order_statistics import median
from ml.runtime.ecg.signal.pacing import mean_beat_has_spike, spikes_before_beats
from ml.runtime.ecg.signal.qrs import locate_qrs
from ml.runtime.ecg.signal.quality import SignalQuality, assess_quality

_ERRORS: dict[str, type[SignalError]] = {
    error.code: error
    for error in (
        SamplesMissingError,
        SignalFlatError,
        SignalSaturatedError,
        ImpulsesError,
        NoHeartbeatError,
        PacedRhythmError,
        QualityTooLowError,
    )
}


@dataclass(frozen=True, eq=False)
class ConditionedEcg:
    """A strip at the working rate, band-passed, with its beats and its quality.

    Attributes:
        ecg: The unit of the raw strip, float32, shape (n_samples,).
        fs_hz: `WORKING_FS_HZ`.
        r_peaks: Sample indices of all heartbeats, int64, shape (n_beats,).
        quality: Which segments are accepted, and their quality.
        heart_rate_bpm: From the median RR interval of accepted beats; None with fewer than two.
    """

    ecg: NDArray[np.float32]
    fs_hz: float
    r_peaks: NDArray[np.int64]
    quality: SignalQuality
    heart_rate_bpm: float | None

    @property
    def accepted_r_peaks(self) -> NDArray[np.int64]:
        """The heartbeats within accepted segments."""
        return self.r_peaks[self.quality.accepts(self.r_peaks / self.fs_hz)]

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Mask of accepted segments; bool, shape (n_samples,)."""
        return self.quality.accepts(np.arange(self.ecg.size) / self.fs_hz)


def condition(ecg: FloatArray, fs_hz: float) -> ConditionedEcg:
    """Check, filter and resample a strip, find its beats and assess its quality.

    Args:
        ecg: Any unit and polarity, float, shape (n_samples,). NaN is a sample that is missing: short gaps are
            bridged, segments with long ones are not accepted.
        fs_hz: Sampling rate, 100 to 2000.

    Returns:
        The strip at 250 Hz in its own unit; `-ecg` gives the same with the opposite sign.

    Raises:
        SignalError: The subclass names the reason; also raised if no segment is accepted.
    """
    examined = examine_for_identity(ecg, fs_hz)
    quality = examined.quality
    if quality.accepted_s == 0.0:
        duration_s = examined.ecg.size / examined.fs_hz
        raise _ERRORS[quality.reasons[0]](
            f"no part of {duration_s:.1f} s can be used: quality {quality.score:.2f}"
        )
    return examined


def examine(ecg: FloatArray, fs_hz: float) -> ConditionedEcg:
    """Condition a strip like `condition`, but return poor strips too, and do not ask for a heart.

    Movement spoils identity, but it shows the wearer's activity.

    Raises:
        SignalError: Not a valid strip (rate, length, size of samples), or one constant value.
    """
    return _conditioned(ecg, fs_hz)[0]


def examine_for_identity(ecg: FloatArray, fs_hz: float) -> ConditionedEcg:
    """Condition a strip like `condition`, but return it with its reasons where no part of it is accepted.

    Raises:
        SignalError: As `examine`.
    """
    strip, line_free = _conditioned(ecg, fs_hz)
    features = _features(strip, line_free)
    if features is not None and holds_heart(features):
        return strip
    return replace(strip, quality=strip.quality.refused(NoHeartbeatError.code))


def features_of(ecg: FloatArray, fs_hz: float) -> HeartFeatures | None:
    """What is asked whether a strip holds a heart; None if it is not accepted anyway.

    Raises:
        SignalError: As `examine`.
    """
    return _features(*_conditioned(ecg, fs_hz))


def _features(strip: ConditionedEcg, line_free: NDArray[np.float64]) -> HeartFeatures | None:
    r_peaks = strip.accepted_r_peaks
    if r_peaks.size < FEWEST_BEATS:
        return None
    return heart_features(strip.ecg.astype(np.float64), line_free, strip.fs_hz, r_peaks)


def _conditioned(ecg: FloatArray, fs_hz: float) -> tuple[ConditionedEcg, NDArray[np.float64]]:
    """A strip and, at the same rate, what it was before the band-pass."""
    checked, missing = _checked(ecg, fs_hz)
    lost = dropouts(checked)
    odd = impulses(bridged(checked, lost), fs_hz)
    raw = bridged(checked, lost | odd)
    line_free = _without_hum(raw, fs_hz)
    clean = band_pass(line_free, c.WORKING_FS_HZ, c.BAND_LOW_HZ, c.BAND_HIGH_HZ)
    r_peaks = locate_qrs(clean)
    no_heart = stands_alone(clean, c.WORKING_FS_HZ, r_peaks) or (
        fs_hz >= EDGES_FROM_HZ and has_edges(line_free, c.WORKING_FS_HZ, r_peaks)
    )
    defects = {
        NoHeartbeatError.code: np.full(raw.size, no_heart),
        SamplesMissingError.code: missing,
        SignalFlatError.code: flat_samples(raw, fs_hz) | lost,
        # What is missing at an end repeats the last sample, which may be the highest.
        SignalSaturatedError.code: saturated_samples(raw, fs_hz) & ~missing,
        ImpulsesError.code: odd,
    }
    quality = assess_quality(clean, c.WORKING_FS_HZ, r_peaks, defects)
    trusted = r_peaks[quality.accepts(r_peaks / c.WORKING_FS_HZ)]
    spikes_s = np.flatnonzero(odd) / fs_hz
    if spikes_before_beats(spikes_s, trusted / c.WORKING_FS_HZ) or mean_beat_has_spike(
        line_free, c.WORKING_FS_HZ, trusted
    ):
        quality = quality.refused(PacedRhythmError.code)
    conditioned = ConditionedEcg(
        ecg=clean.astype(np.float32),
        fs_hz=c.WORKING_FS_HZ,
        r_peaks=r_peaks,
        quality=quality,
        heart_rate_bpm=heart_rate_bpm(trusted, c.WORKING_FS_HZ),
    )
    return conditioned, line_free


def _without_hum(raw: NDArray[np.float64], fs_hz: float) -> NDArray[np.float64]:
    """At the working rate."""
    hum_free = raw
    for mains_hz in c.MAINS_HZ:
        hum_free = notch(hum_free, fs_hz, mains_hz)
    at_working_rate = resample(hum_free, fs_hz, c.WORKING_FS_HZ)
    notched = max(c.MAINS_HZ) <= c.NOTCH_MAX_SHARE_OF_FS * fs_hz
    highest_hz = HIGHEST_HZ if notched else HIGHEST_WITHOUT_NOTCH_HZ
    return without_lines(at_working_rate, c.WORKING_FS_HZ, highest_hz)


def _checked(ecg: FloatArray, fs_hz: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the strip as float64 about its median, if it can hold heartbeats, and what was missing."""
    given = np.asarray(ecg)
    if given.ndim != 1 or given.dtype.kind not in "fiu":
        raise SignalNotFiniteError(f"expected one lead of real numbers, got {given.dtype} {given.shape}")
    raw = given.astype(np.float64)
    if not c.MIN_FS_HZ <= fs_hz <= c.MAX_FS_HZ:
        raise SamplingRateUnsupportedError(
            f"expected {c.MIN_FS_HZ:g} to {c.MAX_FS_HZ:g} Hz, got {fs_hz:g} Hz"
        )
    # Half a sample of tolerance: a strip cut to 3 s at a rate like 497.5 Hz may round down.
    if raw.size < c.MIN_STRIP_S * fs_hz - 0.5:
        raise SignalTooShortError(
            f"expected at least {c.MIN_STRIP_S:g} s, got {raw.size} samples at {fs_hz:g} Hz"
        )
    missing = np.isnan(raw)
    if raw.size - np.count_nonzero(missing) < fs_hz:
        raise SamplesMissingError("less than a second of samples is there")
    raw = bridged(raw, missing)
    largest = np.abs(raw).max()
    if not largest <= c.MAX_AMPLITUDE:
        raise SignalNotFiniteError(f"expected samples up to {c.MAX_AMPLITUDE:g}")
    centered = raw - median(raw)
    if raw.max() - raw.min() <= max(c.FLAT_SHARE_OF_OFFSET * largest, c.MIN_AMPLITUDE):
        raise SignalFlatError("the strip holds one constant value")
    return np.asarray(centered), missing
