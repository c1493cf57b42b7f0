"""What arrives of a person: one type per modality, each with what its encoder reads.

Captures never reach a log, an error or a trace: no `repr` shows their contents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

from app.domain.references import UNKNOWN_POSITION, Modality, Vector


@dataclass(frozen=True, eq=False, repr=False)
class EcgStrip:
    """One lead of ECG.

    Attributes:
        signal: Any unit, float32, shape (n_samples,).
        fs_hz: Sampling rate.
        lead: Where it was taken.
    """

    modality: ClassVar[Modality] = Modality.ECG

    signal: Vector
    fs_hz: float
    lead: str = UNKNOWN_POSITION
    captured_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.signal.ndim != 1 or self.signal.dtype.kind != "f":
            raise ValueError(f"expected one lead of floats, got {self.signal.dtype} {self.signal.shape}")
        if not (math.isfinite(self.fs_hz) and self.fs_hz > 0.0):
            raise ValueError(f"expected a positive sampling rate, got {self.fs_hz}")

    @property
    def position(self) -> str:
        return self.lead

    def __repr__(self) -> str:
        return f"EcgStrip({self.signal.size} samples, {self.fs_hz:g} Hz, lead {self.lead})"


@dataclass(frozen=True, eq=False, repr=False)
class FaceImage:
    """A picture of one face.

    Attributes:
        image: JPEG or PNG, as it came: encoders decode it.
    """

    modality: ClassVar[Modality] = Modality.FACE
    position: ClassVar[str] = UNKNOWN_POSITION

    image: bytes
    captured_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_bytes(self.image)

    def __repr__(self) -> str:
        return f"FaceImage({len(self.image)} bytes)"


@dataclass(frozen=True, eq=False, repr=False)
class FingerprintImage:
    """A picture of one fingerprint.

    Attributes:
        image: PNG, BMP or JPEG, as it came: encoders decode it.
        dpi: Resolution, dots per inch; None leaves it to what the file states.
        finger: Which one.
    """

    modality: ClassVar[Modality] = Modality.FINGERPRINT

    image: bytes
    dpi: int | None = None
    finger: str = UNKNOWN_POSITION
    captured_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_bytes(self.image)
        if self.dpi is not None and self.dpi < 1:
            raise ValueError(f"expected a positive resolution, got {self.dpi} dpi")

    @property
    def position(self) -> str:
        return self.finger

    def __repr__(self) -> str:
        dpi = "unknown" if self.dpi is None else self.dpi
        return f"FingerprintImage({len(self.image)} bytes, {dpi} dpi, {self.finger})"


Capture: TypeAlias = EcgStrip | FaceImage | FingerprintImage
"""`modality` and `position` are the same question to each: `position` is the lead, the finger or unknown."""


@runtime_checkable
class EcgFacts(Protocol):
    """What an ECG says beside identity (`Encoding.facts`).

    Attributes:
        heart_rate_bpm: None with too few beats.
        strip: As the encoder conditioned it, for the activity recognizer; opaque.
    """

    @property
    def heart_rate_bpm(self) -> float | None: ...
    @property
    def strip(self) -> object: ...


def _require_bytes(image: bytes) -> None:
    if not isinstance(image, bytes) or not image:
        raise ValueError("expected the bytes of an image")
