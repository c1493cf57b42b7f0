"""Encoders: a capture becomes a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from app.domain.captures import Capture
from app.domain.references import Modality, Vector
from ml.runtime.calibration.llr import Calibration
from ml.runtime.details import DetailComparer
from ml.runtime.encoding import Encoding


class EncoderCard(NamedTuple):
    """What is published about a loaded bundle."""

    id: str
    version: str
    modality: Modality
    sha256: str
    vector_size: int
    metric: str
    licence: str
    training_data: Sequence[str]
    operating_points: Sequence[Mapping[str, Any]]
    one_to_one_only: bool = False


class Encoder(Protocol):
    """Capture → unit vector, one modality, one version."""

    @property
    def encoder_id(self) -> str:
        """`<id>@<version>`, stored with every reference."""

    @property
    def modality(self) -> Modality: ...

    @property
    def vector_size(self) -> int: ...

    @property
    def local_size(self) -> int:
        """Of the vectors of parts of a capture; 0 if it gives none."""

    @property
    def comparer(self) -> DetailComparer | None:
        """What compares details; None if vectors are compared."""

    @property
    def card(self) -> EncoderCard: ...

    @property
    def calibration(self) -> Calibration: ...

    def encode(self, capture: Capture) -> Encoding:
        """Raises `FailureToAcquireError` with a code of the contract."""

    def examine(self, capture: Capture) -> object | None:
        """Facts of a capture, also of one that `encode` refuses; None where there is nothing to be seen."""

    def pool(self, vectors: Vector, sessions: Sequence[str]) -> Vector:
        """Mean per session, then over sessions, renormalized; shapes (n, d), (n,) → (d,)."""


class Encoders(Protocol):
    """The bundles in use."""

    def default(self, modality: Modality) -> Encoder | None:
        """The encoder new references are made with; `None` if the modality is not served."""

    def absence(self, modality: Modality) -> str:
        """Say in one sentence why `default` gives none."""
        return f"No encoder is loaded for {modality}."

    def get(self, encoder_id: str) -> Encoder | None: ...

    def of(self, modality: Modality) -> Sequence[Encoder]:
        """All loaded ones, the default first: a subject is scored by the first it has a template of."""

    def all(self) -> Sequence[Encoder]: ...
