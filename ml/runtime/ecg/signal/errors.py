"""Reasons why a strip cannot be used.

SignalError (CaptureError)
├── SignalNotFiniteError           signal_not_finite
├── SamplingRateUnsupportedError   sampling_rate_unsupported
├── SignalTooShortError            signal_too_short
├── SamplesMissingError            samples_missing
├── SignalFlatError                signal_flat
├── SignalSaturatedError           signal_saturated
├── ImpulsesError                  too_many_impulses
├── NoHeartbeatError               no_heartbeat
├── PacedRhythmError               paced_rhythm
└── QualityTooLowError             quality_too_low
"""

from ml.runtime.errors import CaptureError


class SignalError(CaptureError):
    """A strip that cannot be used."""


class SignalNotFiniteError(SignalError):
    """The strip is not a one-dimensional array of real numbers, or one of them is infinite."""

    code = "signal_not_finite"


class SamplingRateUnsupportedError(SignalError):
    """The sampling rate lies outside the range of the filters."""

    code = "sampling_rate_unsupported"


class SignalTooShortError(SignalError):
    """The strip is shorter than the shortest accepted length."""

    code = "signal_too_short"


class SamplesMissingError(SignalError):
    """So many samples are marked as missing that the rest does not show a heart."""

    code = "samples_missing"


class SignalFlatError(SignalError):
    """The strip shows no voltage changes: no electrode, no contact."""

    code = "signal_flat"


class SignalSaturatedError(SignalError):
    """The strip sits at the rails of its amplifier."""

    code = "signal_saturated"


class ImpulsesError(SignalError):
    """So many samples are odd ones that the rest does not show a heart."""

    code = "too_many_impulses"


class NoHeartbeatError(SignalError):
    """Nothing in the strip repeats like heartbeats."""

    code = "no_heartbeat"


class PacedRhythmError(SignalError):
    """A pacemaker drives the heart, and paced hearts beat alike in different people."""

    code = "paced_rhythm"


class QualityTooLowError(SignalError):
    """Heartbeats may be there, but no segment is clean enough to compare."""

    code = "quality_too_low"
