"""What arrives of a person: one type per modality, each with what its encoder reads.

Captures never reach a log, an error or a trace: no `repr` shows their contents.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.domain.references import UNKNOWN_POSITION, Modality, Vector


@dataclass(frozen=True, eq=False, repr=False)
class EcgStrip:
    """One lead of ECG.

    Attributes:
        signal: Any unit, float32, shape (n_samples,).
        fs_hz: Sampling rate.
        lead: Where it was taken.
        unit: Of the samples, for pictures: amplitude never decides identity.
    """

    modality: ClassVar[Modality] = Modality.ECG

    signal: Vector
    fs_hz: float
    lead: str = UNKNOWN_POSITION
    captured_at: datetime | None = None
    unit: str = "raw"

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


def lacks_dpi(capture: Capture) -> bool:
    """Whether it is a fingerprint that came without a resolution."""
    return isinstance(capture, FingerprintImage) and capture.dpi is None


def with_default_dpi(captures: Sequence[Capture], dpi: int | None) -> tuple[Capture, ...]:
    """The captures, with this resolution for fingerprints that came without one."""
    return tuple(
        replace(capture, dpi=dpi)
        if isinstance(capture, FingerprintImage) and capture.dpi is None
        else capture
        for capture in captures
    )


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
    def warnings(self) -> tuple[str, ...]:
        """Codes of what looks as if the strip had been read wrongly; computed only when asked."""


class EcgSegment(Protocol):
    """A piece of a strip with its own verdict; `reasons` are codes of the contract."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def score(self) -> float: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def reasons(self) -> Sequence[str]: ...


class EcgDrawing(Protocol):
    """What a picture shows of a strip, accepted or not.

    Attributes:
        ecg: Conditioned, the unit of the raw strip, float32, shape (n_samples,).
        fs_hz: Sampling rate of `ecg`.
        r_peaks: Sample indices of heartbeats, int64, shape (n_beats,).
        accepted: Which of them lie in accepted segments, bool, shape (n_beats,).
        segments: In order, without gaps.
        beat_times_s: Time after R of the samples of a beat, float64, shape (n,).
        beats: Whole accepted beats, float64, shape (n_whole, n).
        mean_beat: float64, shape (n,); None without whole beats.
    """

    @property
    def ecg(self) -> Vector: ...
    @property
    def fs_hz(self) -> float: ...
    @property
    def r_peaks(self) -> NDArray[np.int64]: ...
    @property
    def accepted(self) -> NDArray[np.bool_]: ...
    @property
    def segments(self) -> Sequence[EcgSegment]: ...
    @property
    def beat_times_s(self) -> NDArray[np.float64]: ...
    @property
    def beats(self) -> NDArray[np.float64]: ...
    @property
    def mean_beat(self) -> NDArray[np.float64] | None: ...


@runtime_checkable
class DrawableEcg(Protocol):
    """Facts of an ECG that can be drawn; it takes some milliseconds, and only when asked."""

    def drawing(self) -> EcgDrawing: ...


class MinutiaPoints(Protocol):
    """Minutiae as `ml.runtime.fingerprint.minutiae.Minutiae` has them.

    Attributes:
        xy: Pixels at 500 dpi, x to the right and y downwards; float32, shape (n, 2).
        direction: Along the ridge, radians, from x towards y; float32, shape (n,).
        quality: 0 to 1; float32, shape (n,).
    """

    @property
    def xy(self) -> Vector: ...
    @property
    def direction(self) -> Vector: ...
    @property
    def quality(self) -> Vector: ...


@runtime_checkable
class FingerprintFacts(Protocol):
    """What a fingerprint shows beside identity (`Encoding.facts`); all pixels are those at 500 dpi.

    Attributes:
        minutiae: Where ridges end or fork.
        mask: Cells that show ridges; bool, shape (rows, columns).
        quality_map: How clear they are, 0 to 1; float, same shape.
        cell_px: Side of a cell.
        ridge_period_px: Median distance between ridges; None if there is none.
        size_px: Width and height of the image.
    """

    @property
    def minutiae(self) -> MinutiaPoints: ...
    @property
    def mask(self) -> NDArray[np.bool_]: ...
    @property
    def quality_map(self) -> Vector: ...
    @property
    def cell_px(self) -> float: ...
    @property
    def ridge_period_px(self) -> float | None: ...
    @property
    def size_px(self) -> tuple[int, int]: ...


@runtime_checkable
class FaceFacts(Protocol):
    """Where the face is in its picture (`Encoding.facts`), and nothing of what it says about a person.

    Attributes:
        box: Left, top, width and height in pixels.
        landmarks: Right eye, left eye, tip of the nose, right and left corner of the mouth, in pixels, x to
            the right and y downwards; float32, shape (5, 2).
        size_px: Width and height of the picture, upright.
        quality_parts: What the quality is made of, 0 to 1 each, by name.
    """

    @property
    def box(self) -> Sequence[float]: ...
    @property
    def landmarks(self) -> Vector: ...
    @property
    def size_px(self) -> tuple[int, int]: ...
    @property
    def quality_parts(self) -> Mapping[str, float]: ...


def _require_bytes(image: bytes) -> None:
    if not isinstance(image, bytes) or not image:
        raise ValueError("expected the bytes of an image")
