"""Signal quality for identification: a verdict per segment and for the whole strip.

Two recordings of one person are comparable if their mean beats are well known, which shows in how alike the
beats of one recording are. Drift is ignored: a moving electrode bends the line between beats far more than
the beats, and encoders remove it first. On 955 pairs of strips of CinC train people, the median correlation
of beats with the mean of the others predicts the cosine of the two identity vectors (ecg-beat). Spearman's
rho is 0.71 above 3 Hz and 0.66 above 0.5 Hz; with 3-s strips 0.69 and 0.64.

Whether a segment holds heartbeats at all is decided separately. Steep waves that stand alone, as a QRS does,
count for them, and so does likeness between beats. A jump that does not return, as of an electrode, counts
against them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal import constants as c
from ml.runtime.ecg.signal.beats import beat_units, reject_outlier_beats, whole_beats
from ml.runtime.ecg.signal.filters import FloatArray, band_pass
from ml.runtime.ecg.signal.order_statistics import median

MOST_IMPULSES = 0.03
"""They are bridged; with more of them than one in 33 samples, too little is left between."""
_MOST_LOST = {
    **c.MAX_LOST_SHARE,
    "samples_missing": c.MAX_LOST_SHARE["signal_flat"],
    "too_many_impulses": MOST_IMPULSES,
    "no_heartbeat": 0.5,
}
NO_DEFECTS: Mapping[str, NDArray[np.bool_]] = {}


@dataclass(frozen=True)
class Segment:
    """A piece of a strip with its own verdict; `reasons` are codes of the HTTP contract."""

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
    """Verdict on a strip; `score` from 0 (useless) to 1 (clean), of accepted segments if there are any."""

    score: float
    segments: tuple[Segment, ...]

    @property
    def accepted_s(self) -> float:
        """Seconds of accepted segments."""
        return sum(s.duration_s for s in self.segments if s.accepted)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons of the rejected segments, the one that cost most seconds first."""
        lost_s: dict[str, float] = {}
        for segment in self.segments:
            for reason in segment.reasons:
                lost_s[reason] = lost_s.get(reason, 0.0) + segment.duration_s
        return tuple(sorted(lost_s, key=lambda reason: -lost_s[reason]))

    def refused(self, reason: str) -> "SignalQuality":
        """The same with nothing accepted: what was is refused for this reason."""
        segments = tuple(
            replace(s, accepted=False, reasons=(reason,)) if s.accepted else s for s in self.segments
        )
        return SignalQuality(self.score, segments)

    def accepts(self, times_s: FloatArray) -> NDArray[np.bool_]:
        """Mask of moments in accepted segments: bool, same shape."""
        if all(s.accepted for s in self.segments):
            return np.ones(times_s.shape, dtype=np.bool_)
        starts = np.array([s.start_s for s in self.segments])
        accepted = np.array([s.accepted for s in self.segments])
        return np.asarray(accepted[np.maximum(np.searchsorted(starts, times_s, side="right") - 1, 0)])


@dataclass(frozen=True)
class _BeatEvidence:
    """Features of each beat, float64, shape (n_beats,).

    Args:
        likeness: Correlation with the mean of the other beats.
        qrs_share: Share of its slope energy within the QRS.
        step: Change of level across its QRS, as a share of the QRS's size.
    """

    likeness: NDArray[np.float64]
    qrs_share: NDArray[np.float64]
    step: NDArray[np.float64]

    def of(self, beats: slice) -> "_BeatEvidence":
        return _BeatEvidence(self.likeness[beats], self.qrs_share[beats], self.step[beats])

    @cached_property
    def usual_likeness(self) -> float:
        return median(self.likeness)

    @property
    def score(self) -> float:
        """0 for beats that have nothing in common, 1 for equal ones; each step halves the difference."""
        if self.likeness.size == 0:
            return 0.0
        unlike = 1.0 - min(max(self.usual_likeness, 0.0), 1.0)
        floor = c.SMALLEST_UNLIKENESS
        return float(np.log((1.0 + floor) / (unlike + floor)) / np.log((1.0 + floor) / floor))

    def verdict(self, expected_beats: float) -> str | None:
        """The reason to reject a segment because of its beats, if there is one."""
        if self.likeness.size < max(1.0, c.MIN_BEAT_SHARE * expected_beats):
            return "no_heartbeat"
        evidence = median(self.qrs_share) + c.LIKENESS_WEIGHT * self.usual_likeness
        if evidence < c.NO_HEARTBEAT_EVIDENCE:
            return "no_heartbeat"
        if evidence < c.MIN_EVIDENCE or median(self.step) > c.MAX_STEP:
            return "quality_too_low"
        return None


def assess_quality(
    ecg: FloatArray,
    fs_hz: float,
    r_peaks: NDArray[np.int64],
    defects: Mapping[str, NDArray[np.bool_]] = NO_DEFECTS,
) -> SignalQuality:
    """Assess a strip in segments of about 5 s, or as a whole if it is shorter.

    Args:
        ecg: Any unit, float, shape (n_samples,), band-passed.
        fs_hz: Sampling rate; more than twice `BAND_HIGH_HZ`.
        r_peaks: Sample indices of the beats, int64, shape (n_beats,).
        defects: Lost samples by reason (`signal.defects`): bool, at any rate, same duration.

    Returns:
        The same for `ecg` and `-ecg`, and for any gain.
    """
    evidence = _beat_evidence(ecg, fs_hz, r_peaks)
    # A single beat has none to resemble, so it proves no heart.
    usual_rr = median(np.diff(r_peaks)) if r_peaks.size > 1 else 0.0
    segments = []
    for start, end in pairwise(segment_edges(ecg.size, fs_hz)):
        inside = evidence.of(slice(*np.searchsorted(r_peaks, (start, end))))
        expected_beats = (end - start) / usual_rr if usual_rr else np.inf
        reason = _worst_defect(defects, start / ecg.size, end / ecg.size) or inside.verdict(expected_beats)
        reasons = (reason,) if reason else ()
        segments.append(Segment(start / fs_hz, end / fs_hz, inside.score, not reasons, reasons))
    return SignalQuality(_overall(segments), tuple(segments))


def segment_edges(n_samples: int, fs_hz: float) -> list[int]:
    """Return sample indices that divide a strip into equal pieces of about 5 s."""
    n_segments = max(1, round(n_samples / fs_hz / c.SEGMENT_S))
    return [round(i * n_samples / n_segments) for i in range(n_segments + 1)]


def _worst_defect(defects: Mapping[str, NDArray[np.bool_]], start: float, end: float) -> str | None:
    """The defect that spoils a piece (start and end as shares of the strip), if any."""
    for reason, lost in defects.items():
        piece = lost[int(start * lost.size) : int(end * lost.size)]
        if np.count_nonzero(piece) / piece.size > _MOST_LOST[reason]:
            return reason
    return None


def _overall(segments: list[Segment]) -> float:
    judged = [s for s in segments if s.accepted] or segments
    weights = np.array([s.duration_s for s in judged])
    return float((np.array([s.score for s in judged]) * weights).sum() / weights.sum())


def _beat_evidence(ecg: FloatArray, fs_hz: float, r_peaks: NDArray[np.int64]) -> _BeatEvidence:
    """Measure each beat.

    Long strips are treated in stretches of about a minute, because beats change shape with posture and rate.
    Beats that are cut off by an end of the strip are measured by the part that remains.
    """
    drift_free = band_pass(ecg, fs_hz, c.LIKENESS_LOW_HZ, c.BAND_HIGH_HZ)
    likeness, qrs_share = np.zeros(r_peaks.size), np.zeros(r_peaks.size)
    offsets = np.arange(-round(c.BEAT_BEFORE_S * fs_hz), round(c.BEAT_AFTER_S * fs_hz))
    in_qrs = np.abs(offsets[1:] - 0.5) < c.QRS_HALF_S * fs_hz
    for some in _stretches(r_peaks.size):
        peaks = r_peaks[some]
        beats = _windows(drift_free, peaks, offsets)
        units = beat_units(beats)
        whole = whole_beats(ecg.size, fs_hz, peaks, c.BEAT_BEFORE_S, c.BEAT_AFTER_S)
        likeness[some] = _likeness(beats, units, whole)
        slope = (units[:, 1:] - units[:, :-1]) ** 2
        qrs_share[some] = slope[:, in_qrs].sum(axis=1) / np.maximum(slope.sum(axis=1), 1e-12)
    return _BeatEvidence(likeness, qrs_share, _steps(ecg, fs_hz, r_peaks))


def _stretches(n_beats: int) -> list[slice]:
    """Divide the beats into parts of about a minute; the first ones are longer by a beat if need be."""
    n_stretches = max(1, round(n_beats / c.TEMPLATE_BEATS))
    size, n_longer = divmod(n_beats, n_stretches)
    return [
        slice(first, end)
        for first, end in pairwise(i * size + min(i, n_longer) for i in range(n_stretches + 1))
    ]


def _steps(ecg: FloatArray, fs_hz: float, r_peaks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Change of level across each QRS, as a share of the QRS's size.

    A slope that both sides share is drift, not a jump.
    """
    gap, span = round(c.QRS_HALF_S * fs_hz), round(c.STEP_SPAN_S * fs_hz)
    before = _windows(ecg, r_peaks, np.arange(-gap - span, -gap))
    after = _windows(ecg, r_peaks, np.arange(gap, gap + span))
    reach = round(c.QRS_REACH_S * fs_hz)
    time = np.arange(span) - (span - 1) / 2
    rising, still_rising = before @ time / (time @ time), after @ time / (time @ time)  # per sample
    agreed = np.minimum(np.abs(rising), np.abs(still_rising)) * (np.sign(rising) == np.sign(still_rising))
    drift = np.sign(rising) * agreed * (2 * gap + span)
    jump = np.abs(after.mean(axis=1) - before.mean(axis=1) - drift)
    about = _windows(ecg, r_peaks, np.arange(-reach, reach))
    size = about.max(axis=1) - about.min(axis=1)
    return np.asarray(np.divide(jump, size, out=np.zeros_like(size), where=size > 0.0))


def _windows(ecg: FloatArray, r_peaks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The samples around each peak; beyond the ends of the strip, its first or last value."""
    return np.asarray(ecg.take(r_peaks[:, None] + offsets, mode="clip"), dtype=np.float64)


def _likeness(
    beats: NDArray[np.float64], units: NDArray[np.float64], whole: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Correlation of each beat with the mean of the other whole beats without outliers."""
    typical = whole.copy() if np.count_nonzero(whole) > 1 else np.ones_like(whole)
    typical[typical] = reject_outlier_beats(beats[typical], units[typical])
    others = units[typical].sum(axis=0) - units * typical[:, None]
    norms = np.maximum(np.sqrt((others * others).sum(axis=1)), 1e-12)
    return np.asarray(np.clip((units * others).sum(axis=1) / norms, -1.0, 1.0))
