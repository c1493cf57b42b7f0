"""The captures of one request as encoders see them, each encoded once per encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from app.domain.captures import Capture, EcgFacts
from app.domain.details import Detail, Parts
from app.domain.errors import FailureToAcquireError, Fault, UnprocessableError
from app.domain.ports.encoders import Encoder, Encoders
from app.domain.references import Modality
from app.domain.scores import ModalityStatus
from app.matching.side_by_side import side_by_side
from ml.runtime.encoding import Encoding


@dataclass(frozen=True)
class Rejection:
    """Why one capture of a request was not used."""

    index: int
    code: str
    detail: str

    @property
    def fault(self) -> Fault:
        return Fault(f"/recordings/{self.index}", self.code, self.detail)


@dataclass(frozen=True)
class Acquired:
    """One accepted capture and its encoding; its parts where details are compared."""

    index: int
    capture: Capture
    encoding: Encoding
    parts: Parts | None = None

    @classmethod
    def of(cls, index: int, capture: Capture, encoder: Encoder) -> Acquired:
        """Encode a capture; raises `FailureToAcquireError`."""
        encoding = encoder.encode(capture)
        if encoder.comparer is None:
            return cls(index, capture, encoding)
        assert encoding.detail is not None, "an encoder that compares details gives one with every capture"
        detail = Detail(encoding.detail, encoder.comparer.open)
        local = np.zeros((0, encoder.local_size), np.float32) if encoding.local is None else encoding.local
        return cls(index, capture, encoding, Parts((detail,), local))

    @property
    def quality(self) -> float:
        return self.encoding.evidence.quality


@dataclass(frozen=True)
class Batch:
    """All captures of a request that one encoder reads."""

    accepted: tuple[Acquired, ...]
    rejected: tuple[Rejection, ...]


def encode(captures: Sequence[Capture], encoders: Encoders) -> EncodedCaptures:
    """Encode captures under the default encoder of each modality; it takes its time, and needs no store."""
    encoded = EncodedCaptures(captures, encoders)
    encoded.add(found for m in encoded.served_modalities if (found := encoders.default(m)) is not None)
    return encoded


class EncodedCaptures:
    """Captures with their encodings, whether they are compared, enrolled or judged.

    Args:
        captures: As they came; the index in this sequence names them in rejections.
        encoders: The bundles in use.
    """

    def __init__(self, captures: Sequence[Capture], encoders: Encoders) -> None:
        self.captures = tuple(captures)
        self._encoders = encoders
        self._batches: dict[str, Batch] = {}
        self._unserved = tuple(
            Rejection(index, "modality_unavailable", encoders.absence(capture.modality))
            for index, capture in enumerate(captures)
            if encoders.default(capture.modality) is None
        )

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """All that the request brought, in order of first appearance."""
        return tuple(dict.fromkeys(capture.modality for capture in self.captures))

    @property
    def served_modalities(self) -> tuple[Modality, ...]:
        return tuple(m for m in self.modalities if self._encoders.default(m) is not None)

    def add(self, encoders: Iterable[Encoder]) -> None:
        """Encode under these encoders too, where that has not been done yet, side by side."""
        lacking = {encoder.encoder_id: encoder for encoder in encoders if not self.holds(encoder)}
        jobs = [partial(self._encode, encoder) for encoder in lacking.values()]
        self._batches.update(zip(lacking, side_by_side(jobs), strict=True))

    def holds(self, encoder: Encoder) -> bool:
        """Whether the captures have been encoded under this encoder."""
        return encoder.encoder_id in self._batches

    def batch(self, encoder: Encoder) -> Batch:
        """What the encoder accepts and rejects of its own modality.

        They are encoded now if they have not been. Services see to it before they open a transaction.
        """
        if not self.holds(encoder):
            self._batches[encoder.encoder_id] = self._encode(encoder)
        return self._batches[encoder.encoder_id]

    def reject(self, encoder: Encoder, code: str, detail: str) -> None:
        """Refuse after all what an encoder accepted: comparing showed what is wrong with it."""
        batch = self.batch(encoder)
        refused = tuple(Rejection(acquired.index, code, detail) for acquired in batch.accepted)
        self._batches[encoder.encoder_id] = Batch((), (*batch.rejected, *refused))

    def accepted(self, encoder: Encoder, min_quality: float) -> tuple[Acquired, ...]:
        """Accepted captures of at least this quality."""
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
        """Raise the fault of capture 0, with all faults attached, if nothing at all was accepted."""
        rejections = self.rejections(min_quality)
        if len(rejections) < len(self.captures):
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
            if self.captures[rejection.index].modality == modality:
                return ModalityStatus.REJECTED_QUALITY, rejection.code
        return ModalityStatus.MISSING, None

    @property
    def longest_ecg(self) -> EcgFacts | None:
        """Facts of the ECG with the most accepted seconds, of those with a heart rate."""
        rated = [
            (acquired.encoding.evidence.amount, facts)
            for batch in self._batches.values()
            for acquired in batch.accepted
            if isinstance(facts := acquired.encoding.facts, EcgFacts) and facts.heart_rate_bpm is not None
        ]
        return max(rated, key=lambda one: one[0])[1] if rated else None

    def _encode(self, encoder: Encoder) -> Batch:
        accepted: list[Acquired] = []
        rejected: list[Rejection] = []
        for index, capture in enumerate(self.captures):
            if capture.modality != encoder.modality:
                continue
            try:
                accepted.append(Acquired.of(index, capture, encoder))
            except FailureToAcquireError as error:
                rejected.append(Rejection(index, error.code, error.detail))
        return Batch(tuple(accepted), tuple(rejected))
