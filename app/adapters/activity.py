"""An activity bundle behind the ActivityRecogniser port."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from app.adapters.encoders import WARM_UP_FS_HZ, warm_up_beats
from app.adapters.metrics import encoding_time
from app.domain import activity as port
from app.domain.activity import UNKNOWN_ACTIVITY, ActivityCard, ActivitySegment, Pieces
from app.domain.errors import ConfigurationError, FailureToAcquireError
from app.domain.references import Recording, Vector
from app.domain.scores import ActivityEstimate
from ml.activity.bundle import load_recogniser as load_bundled_recogniser
from ml.activity.recogniser import ActivityRecogniser, ActivityTimeline, Baseline
from ml.bundle import ACTIVITY_KIND, BundleError, BundleInfo, preference, read_bundle
from ml.signal.conditioning import ConditionedEcg, examine
from ml.signal.errors import QualityTooLowError, SignalError

PIECE_S: Final = 120.0
"""Long strips are read in pieces of that: an hour at once would keep others waiting for seconds."""
MARGIN_S: Final = 60.0
"""What is read beyond both ends of a piece: further than any call looks back or ahead."""


@dataclass(frozen=True)
class _Piece:
    """Segments of a part of a strip, and why those of them that allow no call do not."""

    segments: list[ActivitySegment]
    refusals: list[FailureToAcquireError]


class BundleRecogniser(port.ActivityRecogniser):
    """One activity bundle."""

    def __init__(self, inner: ActivityRecogniser, info: BundleInfo) -> None:
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

    def baseline(self, resting: Recording) -> Baseline:
        strip = _examined(*_signal(resting))
        baseline = self._inner.baseline(strip)
        if baseline is None:
            raise _no_call(strip)
        return baseline

    def timeline(self, recording: Recording, baseline: object | None) -> Pieces[tuple[ActivitySegment, ...]]:
        assert baseline is None or isinstance(baseline, Baseline)
        ecg, fs_hz = _signal(recording)
        segments: list[ActivitySegment] = []
        refusals: list[FailureToAcquireError] = []
        for span_s in _spans(ecg.size / fs_hz):
            if segments:
                yield
            piece = self._piece(ecg, fs_hz, span_s, baseline)
            segments += piece.segments
            refusals += piece.refusals
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
            strip = examine(warm_up_beats(), WARM_UP_FS_HZ)
            self._inner.activity(strip)
            self._inner.timeline(strip)

    def _piece(
        self, ecg: Vector, fs_hz: float, span_s: tuple[float, float], baseline: Baseline | None
    ) -> _Piece:
        """What is told of a span, by what is in it and around it."""
        from_s = max(0.0, span_s[0] - MARGIN_S)
        samples = ecg[round(from_s * fs_hz) : round((span_s[1] + MARGIN_S) * fs_hz)]
        with encoding_time(self.card.encoder_id):
            try:
                strip = _examined(samples, fs_hz)
            except FailureToAcquireError as refusal:
                unknown = ActivitySegment(*span_s, UNKNOWN_ACTIVITY, {}, heart_rate_bpm=None, quality=0.0)
                return _Piece([unknown], [refusal])
            found = self._inner.timeline(strip, baseline)
        return _Piece(self._segments(found, from_s, span_s), [_no_call(strip)])

    def _segments(
        self, found: ActivityTimeline, from_s: float, span_s: tuple[float, float]
    ) -> list[ActivitySegment]:
        starts_s = np.clip(found.start_s + from_s, *span_s)
        ends_s = np.clip(found.end_s + from_s, *span_s)
        best = found.probabilities.argmax(axis=1)
        segments = []
        for row in np.flatnonzero(ends_s > starts_s):
            unknown = bool(found.unknown[row])
            rate = float(found.heart_rate_bpm[row])
            columns = zip(self.card.classes, found.probabilities[row].tolist(), strict=True)
            segments.append(
                ActivitySegment(
                    start_s=float(starts_s[row]),
                    end_s=float(ends_s[row]),
                    activity=UNKNOWN_ACTIVITY if unknown else self.card.classes[best[row]],
                    probabilities={} if unknown else dict(columns),
                    heart_rate_bpm=rate if np.isfinite(rate) else None,
                    quality=float(found.quality[row]),
                )
            )
        return segments


def load_recogniser(models_dir: Path, chosen: str | None = None) -> BundleRecogniser | None:
    """Check all activity bundles of a folder, load one of them and warm it up.

    Args:
        models_dir: Where the bundles lie, those of encoders too.
        chosen: ``<id>@<version>``; by default the newest one named ``activity``, or the newest of all.

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
        recogniser = BundleRecogniser(load_bundled_recogniser(models_dir / name), found[name])
    except BundleError as error:
        raise ConfigurationError(str(error)) from error
    recogniser.warm_up()
    return recogniser


def _signal(recording: Recording) -> tuple[Vector, float]:
    assert recording.fs_hz is not None
    assert isinstance(recording.payload, np.ndarray)
    return recording.payload, recording.fs_hz


def _examined(ecg: Vector, fs_hz: float) -> ConditionedEcg:
    try:
        return examine(ecg, fs_hz)
    except SignalError as error:
        raise FailureToAcquireError(str(error), code=error.code) from error


def _no_call(strip: ConditionedEcg) -> FailureToAcquireError:
    code = (*strip.quality.reasons, QualityTooLowError.code)[0]
    return FailureToAcquireError("No part of the strip allows a call.", code=code)


def _spans(duration_s: float) -> Iterator[tuple[float, float]]:
    """What divides a strip into pieces; the last one is up to twice as long."""
    n_pieces = max(1, int(duration_s // PIECE_S))
    for piece in range(n_pieces):
        end_s = duration_s if piece == n_pieces - 1 else (piece + 1) * PIECE_S
        yield piece * PIECE_S, end_s
