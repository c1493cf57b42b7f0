"""An activity bundle behind the ActivityRecognizer port."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from app.adapters.metrics import encoding_time
from app.domain import activity as port
from app.domain.activity import UNKNOWN_ACTIVITY, ActivityCard, ActivitySegment, Pieces
from app.domain.captures import EcgStrip
from app.domain.errors import ConfigurationError, FailureToAcquireError
from app.domain.references import Vector
from app.domain.scores import ActivityEstimate
from ml.runtime.bundle import ACTIVITY_KIND, BundleError, BundleInfo, preference, read_bundle
from ml.runtime.ecg.activity.bundle import load_recognizer as load_bundled_recognizer
from ml.runtime.ecg.activity.recognizer import ActivityRecognizer, Baseline, SegmentEvidence
from ml.runtime.ecg.preparation import example_ecg
from ml.runtime.ecg.signal.conditioning import ConditionedEcg, examine
from ml.runtime.ecg.signal.errors import QualityTooLowError, SignalError

PIECE_S: Final = 60.0
"""Long strips are read in pieces of that: an hour at once would keep others waiting for seconds."""
MARGIN_S: Final = 30.0
"""What is conditioned beyond both ends of a piece: more than filters settle in and segments look around."""


class BundleRecognizer(port.ActivityRecognizer):
    """One activity bundle."""

    def __init__(self, inner: ActivityRecognizer, info: BundleInfo) -> None:
        self._inner = inner
        self._card = ActivityCard(
            id=info.id,
            version=info.version,
            sha256=info.sha256,
            licence=info.licence,
            training_data=info.training_data,
            operating_points=info.operating_points,
            classes=info.classes,
            groups=info.groups,
        )

    @property
    def card(self) -> ActivityCard:
        return self._card

    def baseline(self, resting: EcgStrip) -> Baseline:
        strip = _examined(resting.signal, resting.fs_hz)
        baseline = self._inner.baseline(strip)
        if baseline is None:
            raise _no_call(strip)
        return baseline

    def timeline(self, recording: EcgStrip, baseline: object | None) -> Pieces[tuple[ActivitySegment, ...]]:
        assert baseline is None or isinstance(baseline, Baseline)
        ecg, fs_hz = recording.signal, recording.fs_hz
        segments: list[ActivitySegment] = []
        parts: list[SegmentEvidence] = []  # Of what follows those segments without a gap.
        refusals: list[FailureToAcquireError] = []
        for span_s in _spans(ecg.size / fs_hz):
            if refusals:
                yield
            try:
                strip, from_s = _examined_around(span_s, ecg, fs_hz)
            except FailureToAcquireError as refusal:
                refusals.append(refusal)
                segments += [*self._chained(parts), _unknown(span_s)]
                parts = []
            else:
                refusals.append(_no_call(strip))
                parts.append(self._evidence(strip, from_s, span_s, baseline))
        segments += self._chained(parts)
        if not any(segment.known for segment in segments):
            raise refusals[0]
        return tuple(segments)

    def estimate(self, strip: object) -> ActivityEstimate:
        assert isinstance(strip, ConditionedEcg)
        with encoding_time(self.card.encoder_id):
            call = self._inner.activity(strip)
        return ActivityEstimate(
            activity=call.activity or UNKNOWN_ACTIVITY,
            probability=call.probability,
            heart_rate_bpm=call.heart_rate_bpm,
        )

    def warm_up(self) -> None:
        """Load what loads at first use, so that the first strip does not wait for it."""
        with contextlib.suppress(SignalError):
            strip = examine(*example_ecg())
            self._inner.activity(strip)
            self._inner.timeline(strip)

    def _evidence(
        self, strip: ConditionedEcg, from_s: float, span_s: tuple[float, float], baseline: Baseline | None
    ) -> SegmentEvidence:
        """What the segments of a span say, which lies within a strip that begins at `from_s`."""
        with encoding_time(self.card.encoder_id):
            found = self._inner.evidence(strip, baseline, (span_s[0] - from_s, span_s[1] - from_s))
        # Whatever the segments' length, the first one begins with the span and the last one ends with it.
        edges_s = np.append(found.start_s, found.end_s[-1]) + from_s
        edges_s[0], edges_s[-1] = span_s[0], min(edges_s[-1], span_s[1])
        return replace(found, start_s=edges_s[:-1], end_s=edges_s[1:])

    def _chained(self, parts: Sequence[SegmentEvidence]) -> list[ActivitySegment]:
        if not parts:
            return []
        found = self._inner.chained(parts)
        best = found.probabilities.argmax(axis=1)
        segments = []
        for row, unknown in enumerate(found.unknown.tolist()):
            rate_bpm = float(found.heart_rate_bpm[row])
            columns = zip(self.card.classes, found.probabilities[row].tolist(), strict=True)
            segments.append(
                ActivitySegment(
                    start_s=float(found.start_s[row]),
                    end_s=float(found.end_s[row]),
                    activity=UNKNOWN_ACTIVITY if unknown else self.card.classes[best[row]],
                    probabilities={} if unknown else dict(columns),
                    heart_rate_bpm=rate_bpm if np.isfinite(rate_bpm) else None,
                    quality=float(found.quality[row]),
                )
            )
        return segments


def load_recognizer(models_dir: Path, chosen: str | None = None) -> BundleRecognizer | None:
    """Check all activity bundles of a folder, load one of them and warm it up.

    Args:
        models_dir: Where the bundles lie, those of encoders too.
        chosen: `<id>@<version>`; by default the newest one named `activity`, or the newest of all.

    Returns:
        None if there is none and none was chosen.

    Raises:
        ConfigurationError: One that is damaged, or the chosen one is not there.
    """
    folders = sorted(folder for folder in models_dir.glob("*@*") if folder.is_dir())
    try:
        found = {
            info.encoder_id: info for folder in folders if (info := read_bundle(folder)).kind == ACTIVITY_KIND
        }
        if chosen is None and not found:
            return None
        name = chosen or max(found, key=lambda encoder_id: preference(encoder_id, ACTIVITY_KIND))
        if name not in found:
            listed = ", ".join(sorted(found)) or "none"
            raise ConfigurationError(
                f"PULSEPRINT_ENCODERS names '{name}' for activity; loaded are: {listed}."
            )
        recognizer = BundleRecognizer(load_bundled_recognizer(models_dir / name), found[name])
    except BundleError as error:
        raise ConfigurationError(str(error)) from error
    recognizer.warm_up()
    return recognizer


def _examined(ecg: Vector, fs_hz: float) -> ConditionedEcg:
    try:
        return examine(ecg, fs_hz)
    except SignalError as error:
        raise FailureToAcquireError(str(error), code=error.code) from error


def _examined_around(span_s: tuple[float, float], ecg: Vector, fs_hz: float) -> tuple[ConditionedEcg, float]:
    """A span of a strip with what lies around it, and the second that this begins at."""
    from_s = max(0.0, span_s[0] - MARGIN_S)
    samples = ecg[round(from_s * fs_hz) : round((span_s[1] + MARGIN_S) * fs_hz)]
    return _examined(samples, fs_hz), from_s


def _no_call(strip: ConditionedEcg) -> FailureToAcquireError:
    code = (*strip.quality.reasons, QualityTooLowError.code)[0]
    return FailureToAcquireError("No part of the strip allows a call.", code=code)


def _spans(duration_s: float) -> Iterator[tuple[float, float]]:
    """What divides a strip into pieces; the last one is up to twice as long."""
    n_pieces = max(1, int(duration_s // PIECE_S))
    for piece in range(n_pieces):
        end_s = duration_s if piece == n_pieces - 1 else (piece + 1) * PIECE_S
        yield piece * PIECE_S, end_s


def _unknown(span_s: tuple[float, float]) -> ActivitySegment:
    return ActivitySegment(*span_s, UNKNOWN_ACTIVITY, {}, heart_rate_bpm=None, quality=0.0)
