"""How well a strip serves identification: a verdict per segment and for the whole.

What makes two recordings of one person comparable is how well their mean beats are known, and that shows in
how alike the beats of one recording are. On 1 654 pairs of 10-s strips of CinC train people, the median
correlation of beats with the mean of the others ranks the cosine of the two mean beats with Spearman's
rho = 0.84; shares of muscle noise, of drift and of rejected beats, rhythm and heart rate together add less
than 0.01 to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.signal import constants as c
from ml.signal.beats import beat_units, reject_outlier_beats, whole_beats
from ml.signal.filters import FloatArray

NO_DEFECTS: Mapping[str, NDArray[np.bool_]] = {}


@dataclass(frozen=True)
class Segment:
    """A piece of a strip, judged on its own; `reasons` are codes of the HTTP contract."""

    start_s: float
    end_s: float
    score: float
    accepted: bool
    reasons: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class SignalQuality:
    """Verdict on a strip; `score` from 0 (useless) to 1 (clean), of what was accepted if anything was."""

    score: float
    segments: tuple[Segment, ...]

    @property
    def accepted_s(self) -> float:
        """Seconds of accepted segments."""
        return sum(s.duration_s for s in self.segments if s.accepted)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why segments were rejected: the reason that cost most seconds first."""
        lost_s: dict[str, float] = {}
        for segment in self.segments:
            for reason in segment.reasons:
                lost_s[reason] = lost_s.get(reason, 0.0) + segment.duration_s
        return tuple(sorted(lost_s, key=lambda reason: -lost_s[reason]))

    def accepts(self, times_s: FloatArray) -> NDArray[np.bool_]:
        """Which moments lie in accepted segments: bool, same shape."""
        starts = np.array([s.start_s for s in self.segments])
        accepted = np.array([s.accepted for s in self.segments])
        return np.asarray(accepted[np.maximum(np.searchsorted(starts, times_s, side="right") - 1, 0)])


def assess_quality(
    ecg: FloatArray,
    fs_hz: float,
    r_peaks: NDArray[np.int64],
    defects: Mapping[str, NDArray[np.bool_]] = NO_DEFECTS,
) -> SignalQuality:
    """Judge a strip in segments of about 5 s, or whole where it is shorter.

    Args:
        ecg: Any unit, float, shape (n_samples,), band-passed.
        fs_hz: Sampling rate.
        r_peaks: Sample indices of the beats, int64, shape (n_beats,).
        defects: Per reason, which samples are lost (`ml.signal.defects`): bool, at any rate, same duration.

    Returns:
        The same for `ecg` and `-ecg`, and for any gain.
    """
    likeness, qrs_share = _beat_evidence(ecg, fs_hz, r_peaks)
    usual_rr = float(np.median(np.diff(r_peaks))) if r_peaks.size > 1 else np.inf
    edges = segment_edges(ecg.size, fs_hz)
    segments = []
    for start, end in pairwise(edges):
        inside = slice(*np.searchsorted(r_peaks, (start, end)))
        reason = _worst_defect(defects, start / ecg.size, end / ecg.size)
        score = _score(likeness[inside])
        reason = reason or _verdict(score, qrs_share[inside], (end - start) / usual_rr)
        reasons = (reason,) if reason else ()
        segments.append(Segment(start / fs_hz, end / fs_hz, score, not reasons, reasons))
    return SignalQuality(_overall(segments), tuple(segments))


def segment_edges(n_samples: int, fs_hz: float) -> list[int]:
    """Sample indices that divide a strip into equal pieces of about 5 s."""
    n_segments = max(1, round(n_samples / fs_hz / c.SEGMENT_S))
    return [round(i * n_samples / n_segments) for i in range(n_segments + 1)]


def _verdict(score: float, qrs_share: NDArray[np.float64], expected_beats: float) -> str | None:
    """The reason to reject a segment by its beats, if there is one."""
    if qrs_share.size < max(1.0, c.MIN_BEAT_SHARE * expected_beats):
        return "no_heartbeat"
    if np.median(qrs_share) < c.MIN_QRS_SHARE or score < c.NO_HEARTBEAT_SCORE:
        return "no_heartbeat"
    return "quality_too_low" if score < c.MIN_SEGMENT_SCORE else None


def _worst_defect(defects: Mapping[str, NDArray[np.bool_]], start: float, end: float) -> str | None:
    """The defect that spoils a piece (start and end as shares of the strip), if one does."""
    for reason, lost in defects.items():
        if lost[int(start * lost.size) : int(end * lost.size)].mean() > c.MAX_LOST_SHARE[reason]:
            return reason
    return None


def _score(likeness: NDArray[np.float64]) -> float:
    """0 where beats have nothing in common, 1 where they are equal; even steps halve what differs."""
    if likeness.size == 0:
        return 0.0
    unlike = 1.0 - float(np.clip(np.median(likeness), 0.0, 1.0))
    floor = c.SMALLEST_UNLIKENESS
    return float(np.log((1.0 + floor) / (unlike + floor)) / np.log((1.0 + floor) / floor))


def _overall(segments: list[Segment]) -> float:
    judged = [s for s in segments if s.accepted] or segments
    return float(np.average([s.score for s in judged], weights=[s.duration_s for s in judged]))


def _beat_evidence(
    ecg: FloatArray, fs_hz: float, r_peaks: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per beat: correlation with the mean of the other beats; share of its slope energy that the QRS has.

    Long strips are treated in stretches of about a minute, because beats change shape with posture and rate.
    Beats that the strip does not hold whole are judged too, by what there is of them.
    """
    likeness, qrs_share = np.zeros(r_peaks.size), np.zeros(r_peaks.size)
    offsets = np.arange(-round(c.BEAT_BEFORE_S * fs_hz), round(c.BEAT_AFTER_S * fs_hz))
    in_qrs = np.abs(offsets[1:] - 0.5) < c.QRS_HALF_S * fs_hz
    for some in np.array_split(np.arange(r_peaks.size), max(1, round(r_peaks.size / c.TEMPLATE_BEATS))):
        peaks = r_peaks[some]
        beats = np.asarray(ecg[np.clip(peaks[:, None] + offsets, 0, ecg.size - 1)], dtype=np.float64)
        whole = whole_beats(ecg.size, fs_hz, peaks, c.BEAT_BEFORE_S, c.BEAT_AFTER_S)
        likeness[some] = _likeness(beats, whole)
        slope = np.diff(beat_units(beats), axis=1) ** 2
        qrs_share[some] = slope[:, in_qrs].sum(axis=1) / np.maximum(slope.sum(axis=1), 1e-12)
    return likeness, qrs_share


def _likeness(beats: NDArray[np.float64], whole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Correlation of each beat with the mean of those others that are whole and no outliers."""
    units = beat_units(beats)
    typical = whole.copy() if np.count_nonzero(whole) > 1 else np.ones_like(whole)
    typical[typical] = reject_outlier_beats(beats[typical])
    others = units[typical].sum(axis=0) - units * typical[:, None]
    norms = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    return np.asarray(np.clip((units * others).sum(axis=1) / norms, -1.0, 1.0))
