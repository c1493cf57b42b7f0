"""How well a strip serves identification: a score per segment and for the whole."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.signal import constants as c
from ml.signal.beats import beat_correlations, cut_beats, whole_beats
from ml.signal.filters import FloatArray


@dataclass(frozen=True)
class Segment:
    """A piece of a strip, judged on its own."""

    start_s: float
    end_s: float
    score: float
    accepted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignalQuality:
    """Verdict on a strip; `score` 0 (useless) to 1 (clean)."""

    score: float
    segments: tuple[Segment, ...]

    @property
    def accepted_s(self) -> float:
        """Seconds of accepted segments."""
        return sum(s.end_s - s.start_s for s in self.segments if s.accepted)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why segments were rejected, each reason once, in order of appearance."""
        return tuple(dict.fromkeys(reason for s in self.segments for reason in s.reasons))


def assess_quality(ecg: FloatArray, fs_hz: float, r_peaks: NDArray[np.int64]) -> SignalQuality:
    """Judge a band-passed strip piece by piece.

    Args:
        ecg: Any unit, float, shape (n_samples,), band-passed.
        fs_hz: Sampling rate.
        r_peaks: Sample indices of the beats, int64, shape (n_beats,).

    Returns:
        Segments of about 5 s, or the whole where it is shorter; the same for `ecg` and `-ecg`.
    """
    whole = whole_beats(ecg.size, fs_hz, r_peaks, c.BEAT_BEFORE_S, c.BEAT_AFTER_S)
    beats = cut_beats(ecg, fs_hz, r_peaks, c.BEAT_BEFORE_S, c.BEAT_AFTER_S)
    correlation = beat_correlations(beats) if len(beats) > 1 else np.zeros(len(beats))
    peaks = r_peaks[whole]
    edges = segment_edges(ecg.size, fs_hz)
    segments = []
    for start, end in pairwise(edges):
        inside = (peaks >= start) & (peaks < end)
        score = float(np.clip(np.median(correlation[inside]), 0, 1)) if inside.any() else 0.0
        accepted = score >= c.MIN_SEGMENT_SCORE
        reasons = () if accepted else (("few_beats",) if not inside.any() else ("unlike_beats",))
        segments.append(Segment(start / fs_hz, end / fs_hz, score, accepted, reasons))
    used = [s for s in segments if s.accepted] or segments
    weights = [s.end_s - s.start_s for s in used]
    return SignalQuality(float(np.average([s.score for s in used], weights=weights)), tuple(segments))


def segment_edges(n_samples: int, fs_hz: float) -> list[int]:
    """Sample indices that divide a strip into equal pieces of about 5 s."""
    n_segments = max(1, round(n_samples / fs_hz / c.SEGMENT_S))
    return [round(i * n_samples / n_segments) for i in range(n_segments + 1)]
