"""A strip segment by segment: the features of the context of each, and which are unreadable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.activity.features import mean_quality, window_features
from ml.runtime.ecg.activity.legibility import is_mute
from ml.runtime.ecg.activity.windows import context_starts_s, segment_edges_s
from ml.runtime.ecg.signal.conditioning import ConditionedEcg

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DescribedSegments:
    """The segments of a strip and their features.

    Attributes:
        edges_s: Start of each segment, then the end of the last, float64, shape (n_segments + 1,).
        starts_s: Start of the context of each, float64, shape (n_segments,).
        features: Hand-crafted features of each context, float64, shape (n_segments, n_features).
        mute: Which are unreadable, bool, shape (n_segments,).
        quality: Of each, 0 to 1, float64, shape (n_segments,).
    """

    edges_s: FloatArray
    starts_s: FloatArray
    features: FloatArray = field(repr=False)
    mute: NDArray[np.bool_] = field(repr=False)
    quality: FloatArray = field(repr=False)


def describe_segments(
    strip: ConditionedEcg, context_s: float, step_s: float, span_s: tuple[float, float] | None = None
) -> DescribedSegments:
    """Compute the features of the segments of a strip.

    Args:
        strip: Conditioned or examined by `ml.runtime.ecg.signal.conditioning`.
        context_s: Length of the context around each segment; a shorter strip is its own context.
        step_s: Length of a segment.
        span_s: Only the segments that begin within it, at least one; contexts may reach beyond.
    """
    edges_s = segment_edges_s(duration_s(strip), step_s)
    starts_s = context_starts_s(edges_s, context_s)
    if span_s is not None:
        first, end = np.searchsorted(edges_s[:-1], span_s).tolist()
        edges_s, starts_s = edges_s[first : end + 1], starts_s[first:end]
    bounds = list(zip(edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True))
    return DescribedSegments(
        edges_s=edges_s,
        starts_s=starts_s,
        features=describe_contexts(strip, starts_s, context_s),
        mute=np.array([is_mute(strip.quality, *bound) for bound in bounds]),
        quality=np.array([mean_quality(strip.quality, *bound) for bound in bounds]),
    )


def describe_contexts(strip: ConditionedEcg, starts_s: FloatArray, context_s: float) -> FloatArray:
    """Return the features of windows of one length, float64, shape (n_windows, n_features)."""
    end_s = duration_s(strip)
    return np.stack(
        [window_features(strip, start_s, min(start_s + context_s, end_s)) for start_s in starts_s.tolist()]
    )


def duration_s(strip: ConditionedEcg) -> float:
    """Length of a strip in seconds."""
    return strip.ecg.size / strip.fs_hz
