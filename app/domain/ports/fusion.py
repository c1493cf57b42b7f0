"""Fusion at the level of features: the vectors of several modalities become one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from app.domain.references import Modality, Vector
from ml.runtime.calibration.llr import Calibration


class FeatureFusion(Protocol):
    """A fusion bundle in use.

    Attributes:
        fusion_id: `<id>@<version>`.
        encoders: The encoder whose vectors it reads, by modality.
    """

    @property
    def fusion_id(self) -> str: ...
    @property
    def encoders(self) -> Mapping[Modality, str]: ...

    def fuse(self, vectors: Mapping[Modality, Vector]) -> Vector:
        """Make one unit vector of those of each subject, none of them transformed; shapes (n, d) → (n, e)."""

    def calibration(self, modalities: Collection[Modality]) -> Calibration:
        """What cosines are worth where both sides have exactly these modalities, two at least."""
