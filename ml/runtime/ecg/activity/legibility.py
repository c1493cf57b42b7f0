"""Parts of a strip that are unreadable for activity: samples or contact missing, saturation, no heartbeats.

Movement can make a segment useless for identity and still show the activity. So quality too low for
comparison is no reason to abstain.
"""

from __future__ import annotations

from ml.runtime.ecg.signal.errors import (
    NoHeartbeatError,
    SamplesMissingError,
    SignalFlatError,
    SignalSaturatedError,
)
from ml.runtime.ecg.signal.quality import SignalQuality

MUTE_REASONS = frozenset(
    error.code for error in (SamplesMissingError, SignalFlatError, SignalSaturatedError, NoHeartbeatError)
)
MAX_MUTE_SHARE = 0.5


def is_mute(quality: SignalQuality, start_s: float, end_s: float) -> bool:
    """Whether more than half of a window of a strip is unreadable."""
    mute_s = sum(
        max(0.0, min(segment.end_s, end_s) - max(segment.start_s, start_s))
        for segment in quality.segments
        if MUTE_REASONS & set(segment.reasons)
    )
    return mute_s > MAX_MUTE_SHARE * (end_s - start_s)
