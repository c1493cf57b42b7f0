"""Fusion at the level of features: the vectors of several modalities become one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from app.domain.references import Modality, Vector
from ml.runtime.calibration.llr import Calibration


class FusionCard(NamedTuple):
    """What is published about a fusion bundle."""

    id: str
    version: str
    sha256: str
    vector_size: int
    metric: str
    licence: str
    training_data: Sequence[str]
    operating_points: Sequence[Mapping[str, Any]]


class FeatureFusion(Protocol):
    """A fusion bundle in use.

    Attributes:
        card: What is published about it.
        encoders: The encoder whose vectors it reads, by modality.
    """

    @property
    def card(self) -> FusionCard: ...
    @property
    def encoders(self) -> Mapping[Modality, str]: ...

    def fuse(self, vectors: Mapping[Modality, Vector]) -> Vector:
        """Make one unit vector of those of each subject, none of them transformed; shapes (n, d) → (n, e)."""

    def calibration(self, modalities: Collection[Modality]) -> Calibration:
        """What cosines are worth where both sides have exactly these modalities, two at least."""
