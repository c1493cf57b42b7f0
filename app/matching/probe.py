"""The recordings of one request, encoded once per encoder version that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.errors import FailureToAcquireError, Fault, UnprocessableError
from app.domain.ports import Encoder, Encoders
from app.domain.references import Encoding, Modality, Recording, Template
from app.domain.scores import ModalityStatus
from ml.runtime.evidence import EvidenceArray


@dataclass(frozen=True)
class Rejection:
    """Why one recording of a request was not used."""

    index: int
    code: str
    detail: str

    @property
    def fault(self) -> Fault:
        return Fault(f"/recordings/{self.index}", self.code, self.detail)


@dataclass(frozen=True)
class Acquired:
    """One accepted recording and what its encoder made of it."""

    index: int
    recording: Recording
    encoding: Encoding

    @property
    def quality(self) -> float:
        return self.encoding.evidence.quality


@dataclass(frozen=True)
class Batch:
    """All recordings of a request that one encoder could be asked about."""

    accepted: tuple[Acquired, ...]
    rejected: tuple[Rejection, ...]


class Probe:
    """Encodes lazily: the default encoders at once, older versions only if a gallery still needs them.

    Args:
        recordings: As they came; the index in this sequence names them in rejections.
        encoders: The bundles in use.
    """

    def __init__(self, recordings: Sequence[Recording], encoders: Encoders) -> None:
        self.recordings = tuple(recordings)
        self._encoders = encoders
        self._batches: dict[str, Batch] = {}
        self._unserved = tuple(
            Rejection(index, "modality_unavailable", f"No encoder is loaded for {recording.modality}.")
            for index, recording in enumerate(recordings)
            if encoders.default(recording.modality) is None
        )
        for modality in self.served_modalities:
            encoder = encoders.default(modality)
            if encoder is not None:
                self.batch(encoder)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """All that the request brought, in order of first appearance."""
        return tuple(dict.fromkeys(recording.modality for recording in self.recordings))

    @property
    def served_modalities(self) -> tuple[Modality, ...]:
        return tuple(m for m in self.modalities if self._encoders.default(m) is not None)

    def batch(self, encoder: Encoder) -> Batch:
        """What the encoder accepts and rejects of its own modality; each recording is encoded once."""
        if encoder.encoder_id not in self._batches:
            self._batches[encoder.encoder_id] = self._encode(encoder)
        return self._batches[encoder.encoder_id]

    def accepted(self, encoder: Encoder, min_quality: float) -> tuple[Acquired, ...]:
        """Accepted recordings of at least this quality."""
        return tuple(a for a in self.batch(encoder).accepted if a.quality >= min_quality)

    def rejections(self, min_quality: float) -> tuple[Rejection, ...]:
        """All rejections under the default encoders, by index."""
        found = list(self._unserved)
        for modality in self.served_modalities:
            encoder = self._encoders.default(modality)
            if encoder is None:
                continue
            found.extend(self.batch(encoder).rejected)
            found.extend(
                Rejection(
                    acquired.index,
                    "quality_too_low",
                    f"Quality {acquired.quality:.2f} is below the gallery's {min_quality:.2f}.",
                )
                for acquired in self.batch(encoder).accepted
                if acquired.quality < min_quality
            )
        return tuple(sorted(found, key=lambda rejection: rejection.index))

    def require_usable(
        self, min_quality: float, failure: type[FailureToAcquireError] = FailureToAcquireError
    ) -> None:
        """Raise the fault of recording 0, with all faults attached, if nothing at all was accepted."""
        rejections = self.rejections(min_quality)
        if len(rejections) < len(self.recordings):
            return
        first = rejections[0]
        error = UnprocessableError if first.code == "modality_unavailable" else failure
        raise error(first.detail, code=first.code, faults=[rejection.fault for rejection in rejections])

    def status_of(self, modality: Modality, min_quality: float) -> tuple[ModalityStatus, str | None]:
        """How a modality that cannot be scored is reported: its status and first rejection's code."""
        encoder = self._encoders.default(modality)
        if encoder is None:
            return ModalityStatus.UNAVAILABLE, "modality_unavailable"
        if self.accepted(encoder, min_quality):
            return ModalityStatus.MISSING, None
        for rejection in self.rejections(min_quality):
            if self.recordings[rejection.index].modality == modality:
                return ModalityStatus.REJECTED_QUALITY, rejection.code
        return ModalityStatus.MISSING, None

    def templates(self, encoder: Encoder, min_quality: float) -> Mapping[str, Template]:
        """Recordings of one position pooled into one template, by position."""
        by_position: dict[str, list[Encoding]] = {}
        for acquired in self.accepted(encoder, min_quality):
            by_position.setdefault(acquired.recording.position, []).append(acquired.encoding)
        return {position: pool_probe(encoder, found) for position, found in by_position.items()}

    @property
    def longest_ecg(self) -> Encoding | None:
        """The one with the most accepted seconds, of those that tell a heart rate."""
        rated = [
            acquired.encoding
            for batch in self._batches.values()
            for acquired in batch.accepted
            if acquired.encoding.heart_rate_bpm is not None
        ]
        return max(rated, key=lambda encoding: encoding.evidence.amount, default=None)

    def _encode(self, encoder: Encoder) -> Batch:
        accepted: list[Acquired] = []
        rejected: list[Rejection] = []
        for index, recording in enumerate(self.recordings):
            if recording.modality != encoder.modality:
                continue
            try:
                accepted.append(Acquired(index, recording, encoder.encode(recording)))
            except FailureToAcquireError as error:
                rejected.append(Rejection(index, error.code, error.detail))
        return Batch(tuple(accepted), tuple(rejected))


def pool_probe(encoder: Encoder, encodings: Sequence[Encoding]) -> Template:
    """One template of several recordings made at one time.

    What they have in common counts, and what differs averages out. Of one person that is noise. Of ten
    strangers it is all that tells people apart, and what is left resembles everybody of the same sensor. So
    a probe whose recordings agree less than one person's do is made shorter, and all its cosines smaller.
    """
    vectors = np.stack([encoding.vector for encoding in encodings])
    evidence = EvidenceArray.of([encoding.evidence for encoding in encodings])
    pooled = encoder.pool(vectors, [""] * len(encodings))
    if len(encodings) > 1:
        agreement = float(np.linalg.norm(vectors.mean(axis=0, dtype=np.float64)))
        expected = encoder.calibration.expected_agreement(evidence.amount)
        pooled = pooled * np.float32(min(1.0, agreement / expected))
    return Template(pooled, evidence.pooled())
