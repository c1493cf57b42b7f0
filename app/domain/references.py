"""Templates, and the biometric references stored of captures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.domain.details import Parts
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
class Template:
    """The pooled vector of a subject or probe: one modality, position and encoder.

    Attributes:
        vector: Unit norm; a probe's is shorter where its recordings agree less than one person's do.
        evidence: Of all recordings together.
        parts: What an encoder compares that does not compare vectors.
    """

    vector: Vector
    evidence: Evidence
    parts: Parts | None = None

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
    """A stored biometric reference: metadata and ciphertext, never the vector.

    Attributes:
        sealed_detail: What an encoder compares besides (`app.domain.details`), sealed; None if it has none.
    """

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
    sealed_detail: bytes | None = field(default=None, repr=False)

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
    """Whether two positions of one modality compare: equal ones, and `unknown` with every one."""
    return probe_position == enrolled_position or UNKNOWN_POSITION in (probe_position, enrolled_position)
