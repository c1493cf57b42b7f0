"""Recordings, what encoders make of them, and the biometric references stored of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ml.runtime.evidence import IMAGES, SECONDS, Evidence

Vector = NDArray[np.float32]

UNKNOWN_POSITION = "unknown"
MAX_REFERENCES = 32  # per subject, modality, position and encoder


class Modality(StrEnum):
    ECG = "ecg"
    FACE = "face"
    FINGERPRINT = "fingerprint"

    @property
    def evidence_unit(self) -> str:
        """What its evidence is counted in."""
        return SECONDS if self is Modality.ECG else IMAGES


@dataclass(frozen=True, repr=False)
class Recording:
    """One capture of one modality, ready for its encoder.

    Attributes:
        payload: ECG: float32, shape (n_samples,), unit as captured; images: the encoded bytes.
        fs_hz: Sampling rate (ECG only).
        position: ECG lead or finger; ``unknown`` compares with every position.
    """

    modality: Modality
    payload: Vector | bytes
    position: str = UNKNOWN_POSITION
    fs_hz: float | None = None
    captured_at: datetime | None = None

    def __repr__(self) -> str:  # Recordings never reach a log.
        return f"Recording({self.modality}, {self.position})"


@dataclass(frozen=True, repr=False)
class Encoding:
    """What an encoder makes of one recording.

    Attributes:
        vector: Unit norm, float32, shape (vector_size,), not yet transformed.
        evidence: How much of the recording was accepted, and how good it is.
        heart_rate_bpm: Median heart rate (ECG), if there are beats enough.
        strip: The ECG as the encoder prepared it, for whoever reads more out of it; opaque.
    """

    vector: Vector
    evidence: Evidence
    heart_rate_bpm: float | None = None
    reasons: tuple[str, ...] = ()
    strip: object | None = None

    def __repr__(self) -> str:
        return f"Encoding({self.evidence})"


@dataclass(frozen=True, repr=False)
class Template:
    """The pooled vector of a subject or probe: one modality, position and encoder.

    Attributes:
        vector: Unit norm; a probe's is shorter where its recordings agree less than one person's do.
        evidence: Of all recordings together.
    """

    vector: Vector
    evidence: Evidence

    def __repr__(self) -> str:
        return f"Template({self.evidence})"


class TemplateKey(NamedTuple):
    """What a subject's template is filed under."""

    modality: Modality
    position: str
    encoder: str


@dataclass(frozen=True)
class ReferenceIdentity:
    """Everything a reference's ciphertext is bound to (associated data)."""

    gallery_uuid: UUID
    subject_uuid: UUID
    reference_id: UUID
    modality: Modality
    encoder: str
    transform_version: int


@dataclass(frozen=True)
class Reference:
    """A stored biometric reference: metadata and ciphertext, never the vector."""

    id: UUID
    gallery_uuid: UUID
    subject_uuid: UUID
    modality: Modality
    position: str
    encoder: str
    transform_version: int
    ciphertext: bytes = field(repr=False)
    evidence: Evidence
    session: str
    captured_at: datetime | None
    created_at: datetime

    @property
    def identity(self) -> ReferenceIdentity:
        return ReferenceIdentity(
            gallery_uuid=self.gallery_uuid,
            subject_uuid=self.subject_uuid,
            reference_id=self.id,
            modality=self.modality,
            encoder=self.encoder,
            transform_version=self.transform_version,
        )

    @property
    def key(self) -> TemplateKey:
        return TemplateKey(self.modality, self.position, self.encoder)


def comparable(probe_position: str, enrolled_position: str) -> bool:
    """Whether two positions of one modality compare: equal ones, and ``unknown`` with every one."""
    return probe_position == enrolled_position or UNKNOWN_POSITION in (probe_position, enrolled_position)
