"""Stand-ins behind the ports: deterministic, fast, and honest enough to decide with.

A fake person is a pattern of 12 samples that repeats; the fake encoder folds a strip by 12 and takes the
mean. Patterns of different people are seldom alike, so mated probes match and nearly all others do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from app.domain.activity import UNKNOWN_ACTIVITY, ActivityCard, ActivitySegment, Pieces
from app.domain.captures import EcgStrip, FaceImage
from app.domain.errors import FailureToAcquireError
from app.domain.ports.encoders import Encoder, EncoderCard, Encoders
from app.domain.references import Modality, Vector
from app.domain.scores import ActivityEstimate
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.llr_map import LlrMap
from ml.runtime.calibration.nulls import EVIDENCE_CLASSES, LlrHistogram, PairScores, fit_null
from ml.runtime.calibration.softening import softened_grid
from ml.runtime.details import DetailComparer
from ml.runtime.encoding import Encoding
from ml.runtime.evidence import IMAGES, SECONDS, Evidence

PATTERN_SAMPLES = 12
CALIBRATION_PEOPLE = 400
MIN_STRIP_S = 3.0


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to unit norm."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@lru_cache(maxsize=1)
def fake_calibration() -> Calibration:
    """A straight line from cosine to LLR, and the nulls of 400 fake people under it."""
    line = LlrMap(
        knots=np.array([0.4, 0.8]),
        log_slopes=np.full(3, np.log(45.0)),
        bias=-33.0,
        scale=np.zeros(2),
        location=np.zeros(2),
        offset=np.zeros(2),
        seconds_range=(3.0, 15.0),
        quality_mean=0.9,
        quality_sd=0.1,
    )
    vectors = unit(np.random.default_rng(20261120).standard_normal((CALIBRATION_PEOPLE, PATTERN_SAMPLES)))
    first, second = np.triu_indices(CALIBRATION_PEOPLE, k=1)
    pairs = first.size
    bare = Calibration(line, (), (), (), non_mated_pairs=pairs, people=CALIBRATION_PEOPLE)
    llr_db = bare.llr_db((vectors @ vectors.T)[first, second], 5.0, 0.9)
    scores = PairScores(bare.softening.measured_db(llr_db), first, second, CALIBRATION_PEOPLE)
    first_bin, n_bins = softened_grid(pairs)
    null = fit_null(scores, first_bin=first_bin, n_bins=n_bins, replicates=10)
    mated_db = float(bare.llr_db(0.95, 5.0, 0.9))
    return replace(
        bare,
        nulls=(null,) * EVIDENCE_CLASSES,
        llr_histograms=(LlrHistogram.of(llr_db, pairs=pairs),) * EVIDENCE_CLASSES,
        mated_quantiles_db=(mated_db,) * EVIDENCE_CLASSES,
        mated_medians_db=((3.0, 10.0), (15.0, 20.0)),
    )


@lru_cache(maxsize=1)
def fake_image_calibration() -> Calibration:
    """The same numbers for images: one class of evidence, whatever its amount."""
    timed = fake_calibration()
    return replace(
        timed,
        nulls=timed.nulls[:1],
        llr_histograms=timed.llr_histograms[:1],
        mated_quantiles_db=timed.mated_quantiles_db[:1],
        mated_medians_db=(),
        unit=IMAGES,
    )


class FakeEcgFacts(NamedTuple):
    """What comes with a fake ECG for free."""

    heart_rate_bpm: float | None
    strip: object

    def warnings(self) -> tuple[str, ...]:
        return ()


class FakeEncoder:
    """Folds an ECG by 12 samples; refuses as the real one does."""

    modality = Modality.ECG
    vector_size = PATTERN_SAMPLES
    local_size = 0
    comparer: DetailComparer | None = None

    def __init__(self, version: str = "2026.11") -> None:
        self.version = version
        self.encoder_id = f"fake@{version}"

    @property
    def calibration(self) -> Calibration:
        return fake_calibration()

    @property
    def card(self) -> EncoderCard:
        return EncoderCard(
            id="fake",
            version=self.version,
            modality=Modality.ECG,
            sha256="0" * 64,
            vector_size=PATTERN_SAMPLES,
            metric="cosine",
            licence="Apache-2.0",
            training_data=("no data: a fake",),
            operating_points=({"protocol": "none", "fmr": 0.01, "fnmr": 0.0},),
        )

    def encode(self, capture: EcgStrip) -> Encoding:
        ecg = np.asarray(capture.signal, dtype=np.float64)
        seconds = ecg.size / capture.fs_hz
        if seconds < MIN_STRIP_S:
            raise FailureToAcquireError(f"{seconds:.2f} s are shorter than 3 s.", code="signal_too_short")
        if np.ptp(ecg) == 0.0:
            raise FailureToAcquireError("The strip is constant.", code="signal_flat")
        folded = ecg[: ecg.size // PATTERN_SAMPLES * PATTERN_SAMPLES].reshape(-1, PATTERN_SAMPLES)
        pattern = folded.mean(axis=0)
        pattern = pattern - pattern.mean()
        explained = pattern.std() / (folded - folded.mean()).std()
        if explained < 0.5:
            raise FailureToAcquireError("Nothing repeats like heartbeats.", code="no_heartbeat")
        return Encoding(
            vector=unit(pattern).astype(np.float32),
            evidence=Evidence(seconds, SECONDS, float(min(1.0, explained))),
            facts=FakeEcgFacts(72.0, ecg),
        )

    def examine(self, capture: EcgStrip) -> object | None:
        return None

    def pool(self, vectors: Vector, sessions: Sequence[str]) -> Vector:
        """Mean per session, then over sessions, renormalized."""
        names = np.asarray(sessions)
        means = [vectors[names == name].mean(axis=0) for name in sorted(set(sessions))]
        return unit(np.mean(means, axis=0)).astype(np.float32)


class FakeRecognizer:
    """Tells activities by how loud a strip is: rest below 2 (or 2 times the wearer's own rest), walk, run.

    Its segments last 5 s, its pieces a minute; what is constant allows no call.
    """

    SEGMENT_S = 5.0
    SEGMENTS_PER_PIECE = 12
    QUIETEST = (("walk", 2.0), ("run", 6.0))

    @property
    def card(self) -> ActivityCard:
        return ActivityCard(
            id="fakeactivity",
            version="2026.11",
            sha256="1" * 64,
            licence="GPL-3.0",
            training_data=("no data: a fake",),
            operating_points=({"protocol": "none", "accuracy": 1.0},),
            classes=("rest", "walk", "run"),
            groups={"rest": ("rest",), "moving": ("walk", "run")},
        )

    def baseline(self, resting: EcgStrip) -> float:
        loudness = float(np.std(self._ecg(resting)))
        if loudness == 0.0:
            raise FailureToAcquireError("The strip is constant.", code="signal_flat")
        return loudness

    def timeline(self, recording: EcgStrip, baseline: object | None) -> Pieces[tuple[ActivitySegment, ...]]:
        ecg, fs_hz = self._ecg(recording), recording.fs_hz
        size = round(self.SEGMENT_S * fs_hz)
        segments: list[ActivitySegment] = []
        for start in range(0, ecg.size, size):
            if segments and len(segments) % self.SEGMENTS_PER_PIECE == 0:
                yield
            end = min(start + size, ecg.size)
            segments.append(self._segment(ecg[start:end], start / fs_hz, end / fs_hz, baseline))
        if not any(segment.known for segment in segments):
            raise FailureToAcquireError("The strip is constant.", code="signal_flat")
        return tuple(segments)

    def estimate(self, strip: object) -> ActivityEstimate:
        activity = self._activity(np.asarray(strip), 1.0)
        probability = None if activity == UNKNOWN_ACTIVITY else 0.8
        return ActivityEstimate(activity, probability, heart_rate_bpm=None)

    def _segment(
        self, ecg: np.ndarray, start_s: float, end_s: float, baseline: object | None
    ) -> ActivitySegment:
        activity = self._activity(ecg, 1.0 if baseline is None else float(baseline))
        if activity == UNKNOWN_ACTIVITY:
            return ActivitySegment(start_s, end_s, activity, {}, heart_rate_bpm=None, quality=0.0)
        probabilities = {name: 0.8 if name == activity else 0.1 for name in self.card.classes}
        rate_bpm = {"rest": 60.0, "walk": 90.0, "run": 150.0}[activity]
        return ActivitySegment(start_s, end_s, activity, probabilities, rate_bpm, quality=0.9)

    def _activity(self, ecg: np.ndarray, baseline: float) -> str:
        loudness = float(np.std(ecg)) / baseline
        if loudness == 0.0:
            return UNKNOWN_ACTIVITY
        return ["rest", *(name for name, least in self.QUIETEST if loudness >= least)][-1]

    def _ecg(self, recording: EcgStrip) -> np.ndarray:
        ecg = np.asarray(recording.signal, dtype=np.float64)
        if ecg.size < MIN_STRIP_S * recording.fs_hz:
            seconds = ecg.size / recording.fs_hz
            raise FailureToAcquireError(f"{seconds:.2f} s are shorter than 3 s.", code="signal_too_short")
        return ecg


class FakeEncoders(Encoders):
    """Any number of versions of the fake encoder, newest first; faces and fingerprints are not served."""

    def __init__(self, *encoders: Encoder) -> None:
        self._encoders = encoders or (FakeEncoder(),)

    def default(self, modality: Modality) -> Encoder | None:
        return next(iter(self.of(modality)), None)

    def get(self, encoder_id: str) -> Encoder | None:
        return next((one for one in self._encoders if one.encoder_id == encoder_id), None)

    def of(self, modality: Modality) -> Sequence[Encoder]:
        return [one for one in self._encoders if one.modality == modality]

    def all(self) -> Sequence[Encoder]:
        return list(self._encoders)


class FakeClock:
    """Moves on by a millisecond whenever it is asked, and by more when told."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


class FakeFaceEncoder(FakeEncoder):
    """The same numbers as a second modality, to prove that more modalities only add."""

    modality = Modality.FACE

    def __init__(self, version: str = "2026.11") -> None:
        super().__init__(version)
        self.encoder_id = f"fakeface@{version}"

    @property
    def calibration(self) -> Calibration:
        return fake_image_calibration()

    def encode(self, capture: FaceImage) -> Encoding:
        """The image's bytes are the vector: float32, 12 numbers."""
        vector = np.frombuffer(capture.image, dtype=np.float32)
        if vector.size != PATTERN_SAMPLES:
            raise FailureToAcquireError("There is no face.", code="no_face")
        return Encoding(unit(vector).astype(np.float32), Evidence(1.0, IMAGES, 0.9))
